# A table of contents; the logic is in scripts/, in cargo and in xtask.
# `make` alone prints it.

TARGET := $(or $(CARGO_TARGET_DIR),target)
MAINSTAY := $(abspath $(TARGET)/release/mainstay)
export MAINSTAY_BIN = $(MAINSTAY)

# What `make sandbox`, `make bench-proxy` and others pass on: make sandbox ARGS="--flavor mysql"
ARGS ?=

.PHONY: e2e-mysql56 bench-manager bench-vip drivers e2e-failover explore lvs vip-story fuzz help sandbox test test-servers check fix sim e2e bench-proxy clean build-tools binary fast-tests

help: ## print this
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' Makefile

sandbox: build-tools ## three real servers behind a proxy; ARGS="..." goes to `mainstay sandbox`
	@scripts/install-servers.sh mariadb
	cargo build --release
	@$(MAINSTAY) sandbox $(ARGS)

test: build-tools ## all tests, and first what they need; the one command for a fresh machine
	@scripts/install-servers.sh mariadb
	@scripts/install-servers.sh mysql97
	@scripts/install-keepalived.sh
	@scripts/install-network-tools.sh
	@$(MAKE) --no-print-directory fast-tests
	cargo run --release -p mainstay-sim -- --schedules 2000
	@$(MAKE) --no-print-directory e2e

test-servers: ## install MariaDB, MySQL 9.7 and MySQL 5.6 for tests
	@scripts/install-servers.sh mariadb
	@scripts/install-servers.sh mysql97
	@scripts/install-servers.sh mysql56

check: fast-tests ## the gate: format, lints, fast tests, documents, house rules; writes nothing
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps
	cargo run --quiet -p xtask -- tidy
	@if cargo deny --version >/dev/null 2>&1; then cargo deny check; \
	else echo "not checked: licences and advisories (cargo-deny is not installed)"; fi

fix: ## format, and apply what the lints can fix
	cargo fmt --all
	cargo clippy --workspace --all-targets --fix --allow-dirty --allow-staged

sim: ## all scenarios and 1 000 000 schedules of the simulator: a quarter of an hour on two cores
	cargo run --release -p mainstay-sim -- --scenario testing/sim/scenarios/*.txt
	cargo run --release -p mainstay-sim -- --schedules $(or $(SCHEDULES),1000000)

e2e: binary ## end to end, with real servers, one test at a time
	cargo test -p mainstay-e2e --no-fail-fast -- --test-threads=1

e2e-failover: binary ## every fault of docs/faults.md on real servers, as root; ARGS="mysql kill-primary"
	@scripts/install-servers.sh mariadb
	@scripts/install-servers.sh mysql97
	@scripts/install-network-tools.sh
	cargo run --quiet --release -p mainstay-e2e --bin e2e-failover -- $(ARGS)

e2e-mysql56: binary ## end to end with MySQL 5.6, with GTIDs and without; installs it (npm, 31 MB)
	@scripts/install-servers.sh mysql56
	cargo test -p mainstay-e2e --features mysql56 --test mysql56_is_kept_alive -- --test-threads=1

bench-proxy: build-tools binary ## the proxy beside HAProxy and beside none; ARGS="--quick" is short
	@scripts/install-servers.sh mariadb
	@scripts/install-bench-tools.sh
	cargo run --quiet --release -p mainstay-bench -- --report $(TARGET)/bench-proxy $(ARGS)

bench-manager: build-tools ## the manager with 10, 100 and 1000 simulated servers: CPU, memory, latency
	cargo run --quiet --release -p mainstay-bench --bin bench-manager -- \
	  --report $(TARGET)/bench-manager $(ARGS)

drivers: binary ## real drivers, directly and through the proxy, compared; ARGS="pymysql --only script"
	@scripts/install-servers.sh mariadb
	@scripts/install-servers.sh mysql97
	@scripts/install-drivers.sh
	testing/drivers/run.py $(ARGS)

lvs: build-tools ## the balancer with the kernel's IPVS, in a virtual machine
	@scripts/install-vm-tools.sh
	cargo build -p mainstay -p mainstay-e2e --bins
	MAINSTAY_BIN=$(TARGET)/debug/mainstay NAMED_SERVER_BIN=$(TARGET)/debug/named-server \
	  testing/vm/lvs.sh

vip-story: binary ## two co-primaries and their floating address: ten rounds with figures, and more
	@scripts/install-servers.sh mariadb
	@scripts/install-network-tools.sh
	cargo test -p mainstay-e2e --test floating_address_follows_the_primary -- \
	  --test-threads=1 --nocapture

bench-vip: binary ## how long an address is away, beside keepalived; ARGS="--rounds 5"
	@scripts/install-keepalived.sh
	@scripts/install-network-tools.sh
	testing/vip/takeover.py $(ARGS)

explore: ## the property tests on CASES (20 000) other cases each
	PROPTEST_CASES=$(or $(CASES),20000) cargo test --workspace --exclude mainstay-e2e --no-fail-fast

fuzz: ## every fuzz target for SECONDS (10) seconds
	@scripts/fuzz.sh $(or $(SECONDS),10)

clean: ## remove what cargo built
	cargo clean

build-tools:
	@scripts/install-build-tools.sh

binary:
	cargo build --release

# Unit, scenario and property tests, simulated ones among them: seconds, and no server. Properties
# are tried on the same cases each time, so that a gate says the same of the same code.
fast-tests:
	PROPTEST_RNG_SEED=1 cargo test --workspace --exclude mainstay-e2e --no-fail-fast
