// Go: database/sql with go-sql-driver. The scripts by both protocols, pools, contexts.
package main

import (
	"bufio"
	"context"
	"crypto/sha1"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"sort"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
)

type log struct{ lines [][]any }

func (l *log) see(what ...any) { l.lines = append(l.lines, what) }

type testCase struct {
	name string
	body func(*log) error
}

func place(schema, options string) string {
	return fmt.Sprintf("%s:%s@tcp(%s:%s)/%s?%s", os.Getenv("DRIVERS_USER"), os.Getenv("DRIVERS_PASSWORD"),
		os.Getenv("DRIVERS_HOST"), os.Getenv("DRIVERS_PORT"), schema, options)
}

func shown(value any) any {
	switch value := value.(type) {
	case []byte:
		if len(value) > 500 {
			return fmt.Sprintf("bytes %d %x", len(value), sha1.Sum(value))
		}
		return string(value)
	case time.Time:
		return value.String()
	default:
		return value
	}
}

func (l *log) problem(what string, err error) bool {
	var told *mysql.MySQLError
	if errors.As(err, &told) {
		l.see(what, told.Number, told.Message)
		return false
	}
	l.see(what, err.Error())
	return errors.Is(err, mysql.ErrInvalidConn)
}

func query(session *sql.Conn, text string, l *log, values ...any) error {
	rows, err := session.QueryContext(context.Background(), text, values...)
	if err != nil {
		if l.problem(text, err) {
			return err
		}
		return nil
	}
	defer rows.Close()
	for more := true; more; more = rows.NextResultSet() {
		names, _ := rows.Columns()
		types, _ := rows.ColumnTypes()
		kinds := []string{}
		for _, one := range types {
			kinds = append(kinds, one.DatabaseTypeName())
		}
		all := [][]any{}
		for rows.Next() {
			row := make([]any, len(names))
			pointers := make([]any, len(names))
			for n := range row {
				pointers[n] = &row[n]
			}
			if err := rows.Scan(pointers...); err != nil {
				return err
			}
			for n := range row {
				row[n] = shown(row[n])
			}
			all = append(all, row)
		}
		l.see(text, names, kinds, all)
	}
	if err := rows.Err(); err != nil {
		l.problem(text, err)
	}
	return nil
}

func prepared(session *sql.Conn, text string, l *log, values ...any) error {
	statement, err := session.PrepareContext(context.Background(), text)
	if err != nil {
		if l.problem(text, err) {
			return err
		}
		return nil
	}
	defer statement.Close()
	rows, err := statement.Query(values...)
	if err != nil {
		if l.problem(text, err) {
			return err
		}
		return nil
	}
	defer rows.Close()
	count := 0
	for rows.Next() {
		count++
	}
	names, _ := rows.Columns()
	l.see(text, names, count)
	return nil
}

var line = regexp.MustCompile(`^(?:@(\d) )?(.*)$`)

// After an error behind a result this driver waits for the end of that result, without end.
var hangs = regexp.MustCompile(`^CALL fails\(\)|^SELECT 1; .*absent`)

func script(file string, options string, run func(*sql.Conn, string, *log, ...any) error) func(*log) error {
	return func(l *log) error {
		sessions := map[string]*sql.Conn{}
		text, err := os.Open(file)
		if err != nil {
			return err
		}
		defer text.Close()
		lines := bufio.NewScanner(text)
		for lines.Scan() {
			one := strings.TrimSpace(lines.Text())
			if one == "" || strings.HasPrefix(one, "#") {
				continue
			}
			parts := line.FindStringSubmatch(one)
			if hangs.MatchString(one) {
				continue
			}
			if sessions[parts[1]] == nil {
				pool, err := sql.Open("mysql", place("test_drivers", options))
				if err != nil {
					return err
				}
				defer pool.Close()
				if sessions[parts[1]], err = pool.Conn(context.Background()); err != nil {
					return err
				}
				defer sessions[parts[1]].Close()
			}
			if err := run(sessions[parts[1]], parts[2], l); err != nil {
				return err
			}
		}
		return nil
	}
}

func fresh() error {
	pool, err := sql.Open("mysql", place("", ""))
	if err != nil {
		return err
	}
	defer pool.Close()
	for _, text := range []string{"DROP DATABASE IF EXISTS test_drivers_other", "DROP DATABASE IF EXISTS test_drivers",
		"CREATE DATABASE test_drivers CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci"} {
		if _, err := pool.Exec(text); err != nil {
			return err
		}
	}
	return nil
}

func main() {
	cases := []testCase{}
	files, _ := filepath.Glob("scripts/*.sql")
	sort.Strings(files)
	for _, file := range files {
		name := "script " + strings.TrimSuffix(filepath.Base(file), ".sql")
		cases = append(cases, testCase{name, script(file, "multiStatements=true", query)})
		// This driver cannot read the further results of a prepared CALL.
		if !strings.HasSuffix(name, "routines") {
			cases = append(cases, testCase{name + " prepared", script(file, "", prepared)})
		}
	}
	cases = append(cases, testCase{"a pool of sessions", pools}, testCase{"a context ends a statement", contexts},
		testCase{"transactions", transactions}, testCase{"values of every type", values}, testCase{"logins", logins})
	failed := 0
	for _, one := range cases {
		if !strings.Contains(one.name, os.Getenv("DRIVERS_ONLY")) {
			continue
		}
		l := &log{lines: [][]any{}}
		err := fresh()
		if err == nil {
			err = one.body(l)
		}
		var raised any
		if err != nil {
			raised = err.Error()
			l.see("raised", raised)
			failed = 1
		}
		told, _ := json.Marshal(map[string]any{"case": one.name, "raised": raised, "lines": l.lines})
		fmt.Println(string(told))
	}
	os.Exit(failed)
}
