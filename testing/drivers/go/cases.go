package main

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"sync"
	"time"
)

func opened(options string) (*sql.DB, error) {
	return sql.Open("mysql", place("test_drivers", options))
}

// Forty goroutines over four connections, each with its own prepared statement.
func pools(l *log) error {
	pool, err := opened("")
	if err != nil {
		return err
	}
	defer pool.Close()
	pool.SetMaxOpenConns(4)
	if _, err := pool.Exec("CREATE TABLE p (id INT PRIMARY KEY, v INT)"); err != nil {
		return err
	}
	var all sync.WaitGroup
	for n := 0; n < 40; n++ {
		all.Add(1)
		go func(n int) {
			defer all.Done()
			_, err := pool.Exec("INSERT INTO p VALUES (?, ?)", n, n*n)
			if err != nil {
				panic(err)
			}
		}(n)
	}
	all.Wait()
	find, err := pool.Prepare("SELECT v FROM p WHERE id = ?")
	if err != nil {
		return err
	}
	for n := 0; n < 40; n++ {
		var v int
		if err := find.QueryRow(n).Scan(&v); err != nil {
			return err
		}
		l.see(n, v)
	}
	return nil
}

func contexts(l *log) error {
	pool, err := opened("")
	if err != nil {
		return err
	}
	defer pool.Close()
	short, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	_, err = pool.ExecContext(short, "DO SLEEP(5)")
	l.see("ended", fmt.Sprint(err))
	l.see("ping", pool.Ping() == nil)
	return nil
}

func transactions(l *log) error {
	pool, err := opened("")
	if err != nil {
		return err
	}
	defer pool.Close()
	if _, err := pool.Exec("CREATE TABLE t (id INT PRIMARY KEY)"); err != nil {
		return err
	}
	for n, level := range []sql.IsolationLevel{sql.LevelDefault, sql.LevelReadCommitted, sql.LevelSerializable} {
		tx, err := pool.BeginTx(context.Background(), &sql.TxOptions{Isolation: level})
		if err != nil {
			return err
		}
		done, err := tx.Exec("INSERT INTO t VALUES (?)", n)
		if err != nil {
			return err
		}
		affected, _ := done.RowsAffected()
		l.see("inserted", affected)
		if n == 1 {
			err = tx.Rollback()
		} else {
			err = tx.Commit()
		}
		if err != nil {
			return err
		}
	}
	only, err := pool.BeginTx(context.Background(), &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return err
	}
	if _, err := only.Exec("INSERT INTO t VALUES (9)"); err != nil {
		l.problem("read only", err)
	}
	if err := only.Rollback(); err != nil {
		return err
	}
	session, err := pool.Conn(context.Background())
	if err != nil {
		return err
	}
	defer session.Close()
	return query(session, "SELECT id FROM t ORDER BY id", l)
}

func values(l *log) error {
	pool, err := opened("parseTime=true&loc=UTC")
	if err != nil {
		return err
	}
	defer pool.Close()
	session, err := pool.Conn(context.Background())
	if err != nil {
		return err
	}
	defer session.Close()
	day := time.Date(2024, 2, 29, 1, 2, 3, 456000000, time.UTC)
	big := make([]byte, 18<<20)
	if err := query(session, "SELECT ?, ?, ?, ?, ?, ?, ?", l, 1, "two", 3.5, nil, day, []byte{0, 255}, uint64(1)<<63); err != nil {
		return err
	}
	return query(session, "SELECT LENGTH(?), ?", l, big, big)
}

func logins(l *log) error {
	places := []string{"clientFoundRows=true", "charset=latin1", "collation=utf8mb4_bin",
		"time_zone=%27%2B01:00%27", "sql_mode=ANSI", "interpolateParams=true", "absent=1"}
	// The other servers have no TLS here, and the proxy in front of them has.
	if os.Getenv("DRIVERS_FAMILY") == "mysql" {
		places = append(places, "tls=skip-verify")
	}
	for _, options := range places {
		pool, err := opened(options)
		if err != nil {
			return err
		}
		defer pool.Close()
		session, err := pool.Conn(context.Background())
		if err != nil {
			l.problem(options, err)
			continue
		}
		defer session.Close()
		err = query(session, "SELECT @@time_zone, @@sql_mode, @@collation_connection, ?", l, options)
		if err != nil {
			return err
		}
	}
	return nil
}
