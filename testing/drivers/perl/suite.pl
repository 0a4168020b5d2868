# Perl: DBD::mysql or DBD::MariaDB. The scripts, and placeholders by both protocols.
use strict;
use warnings;
use utf8;

use DBI;
use Digest::SHA qw(sha1_hex);
use Encode qw(encode_utf8 is_utf8);
use File::Basename qw(basename dirname);
use JSON::PP;

my $which  = shift // 'mysql';
my $prefix = $which eq 'MariaDB' ? 'mariadb' : 'mysql';
my $json   = JSON::PP->new->canonical->utf8->allow_nonref;
my $place  = "DBI:$which:host=$ENV{DRIVERS_HOST};port=$ENV{DRIVERS_PORT}";
my %more   = (RaiseError => 0, PrintError => 0, "${prefix}_multi_statements" => 1);
$more{mysql_enable_utf8mb4} = 1 if $prefix eq 'mysql';
my @cases;

sub connected {
    my ($schema, %options) = @_;
    my $where = $place . ($schema ? ";database=$schema" : '') . ($options{place} // '');
    delete $options{place};
    my $password = delete $options{password} // $ENV{DRIVERS_PASSWORD};
    return DBI->connect($where, $ENV{DRIVERS_USER}, $password, {%more, %options});
}

sub shown {
    my ($value) = @_;
    return $value if !defined $value;
    return [map { shown($_) } @$value] if ref $value;
    my $bytes = is_utf8($value) ? encode_utf8($value) : $value;
    return 'text ' . length($bytes) . ' ' . sha1_hex($bytes) if length($bytes) > 500;
    return "$value";
}

sub run {
    my ($session, $sql, $log) = @_;
    my $statement = $session->prepare($sql);
    if (!$statement || !$statement->execute) {
        my $from = $statement || $session;
        push @$log, [$sql, $from->err, $from->state, $from->errstr];
        die "lost\n" if grep { $_ == ($from->err // 0) } 2006, 2013;
        return;
    }
    my $rest = 1;
    while ($rest) {
        my @seen = ($sql, $statement->rows, $statement->{"${prefix}_insertid"},
            $statement->{"${prefix}_warning_count"});
        if ($statement->{NUM_OF_FIELDS}) {
            push @seen, $statement->{NAME}, $statement->{"${prefix}_type"},
                shown($statement->fetchall_arrayref // []);
        }
        push @$log, [map { ref $_ ? $_ : shown($_) } @seen];
        $rest = $statement->more_results;
    }
    push @$log, [$sql, $statement->err, $statement->state, $statement->errstr] if $statement->err;
    return;
}

sub scripts {
    my ($suffix, %options) = @_;
    for my $file (sort glob(dirname(__FILE__) . '/../scripts/*.sql')) {
        my $body = sub {
            my ($log) = @_;
            my %sessions;
            open(my $lines, '<:encoding(UTF-8)', $file) or die "$file: $!";
            while (my $line = <$lines>) {
                $line =~ s/^\s+|\s+$//g;
                next if $line eq '' || $line =~ /^#/;
                my ($number, $sql) = $line =~ /^(?:@(\d) )?(.*)$/;
                $number //= 1;
                $sessions{$number} //= connected('test_drivers', %options);
                run($sessions{$number}, $sql, $log);
            }
        };
        push @cases, ['script ' . basename($file, '.sql') . $suffix, $body];
    }
    return;
}

scripts('');
scripts(' prepared', "${prefix}_server_prepare" => 1);

push @cases, ['placeholders', sub {
    my ($log) = @_;
    for my $prepared (0, 1) {
        my $session = connected('test_drivers', "${prefix}_server_prepare" => $prepared);
        run($session, 'DROP TABLE IF EXISTS p', $log);
        run($session, 'CREATE TABLE p (id INT PRIMARY KEY AUTO_INCREMENT, v VARCHAR(20), n INT)', $log);
        my $insert = $session->prepare('INSERT INTO p (v, n) VALUES (?, ?)');
        push @$log, ['inserted', $insert->execute(@$_)] for ['a', 1], [undef, undef], ["it's", '7'];
        my $find = $session->prepare('SELECT * FROM p WHERE n = ? OR v = ?');
        for my $values ([1, 'x'], [99, 'it\'s'], [undef, undef]) {
            $find->execute(@$values);
            push @$log, ['found', shown($find->fetchall_arrayref)];
        }
        push @$log, ['selected', shown($session->selectall_arrayref('SELECT COUNT(*) FROM p WHERE n > ?', {}, 0))];
    }
}];

push @cases, ['transactions and pings', sub {
    my ($log) = @_;
    my $session = connected('test_drivers', AutoCommit => 0);
    run($session, 'CREATE TABLE t (id INT PRIMARY KEY)', $log);
    run($session, 'INSERT INTO t VALUES (1)', $log);
    $session->rollback;
    run($session, 'INSERT INTO t VALUES (2)', $log);
    $session->commit;
    $session->{AutoCommit} = 1;
    run($session, 'SELECT * FROM t', $log);
    push @$log, ['ping', $session->ping ? 1 : 0];
    push @$log, ['tables', shown([map { /`(\w+)`$/ ? $1 : $_ } $session->tables(undef, 'test_drivers')])];
    push @$log, ['quoted', $session->quote("it's")];
}];

push @cases, ['logins', sub {
    my ($log) = @_;
    for my $try (['test_drivers', password => 'wrong'], ['absent_schema'], ['test_drivers', place => ";${prefix}_compression=1"],
        ['test_drivers', place => ";${prefix}_client_found_rows=0"]) {
        my $session = connected(@$try);
        push @$log, ['login', $session ? 'in' : shown([$DBI::err, $DBI::state, $DBI::errstr])];
        run($session, 'SELECT DATABASE(), LENGTH(REPEAT("x", 100000))', $log) if $session;
    }
}];

my $failed = 0;
for my $case (@cases) {
    my ($name, $body) = @$case;
    next if $ENV{DRIVERS_ONLY} && index($name, $ENV{DRIVERS_ONLY}) < 0;
    my (@log, $raised);
    my $ok = eval {
        my $session = connected('') or die "$DBI::errstr\n";
        $session->do($_) for 'DROP DATABASE IF EXISTS test_drivers_other', 'DROP DATABASE IF EXISTS test_drivers',
            'CREATE DATABASE test_drivers CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci';
        $body->(\@log);
        1;
    };
    if (!$ok) {
        $raised = "$@";
        push @log, ['raised', $raised];
        $failed += 1;
    }
    print $json->encode({case => $name, raised => $raised, lines => \@log}), "\n";
}
exit($failed ? 1 : 0);
