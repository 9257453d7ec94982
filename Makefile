# Two commands do everything: `make demo` and `make test`. Both install what is missing (Debian, as root).
.DEFAULT_GOAL := help
.PHONY: help build demo test lint bench release

help:
	@echo 'make demo     build Sampan and deliver the guestbook to a site with no network'
	@echo 'make test     everything that CI runs: format, lints, unit and end-to-end tests'
	@echo 'make bench    measure Sampan beside podman, runc, buildah, docker-registry and helm'
	@echo 'make build    the optimised binary, target/release/sampan'
	@echo 'make release  the same as one statically linked file'

build:
	@tools/setup build
	cargo build --release --locked --package sampan

demo:
	@tools/setup demo
	cargo build --release --locked --package sampan
	@demo/run

lint:
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	shellcheck --external-sources tools/setup demo/run demo/lib bench/run bench/lib bench/registry bench/chart bench/lint bench/ci .ci/run

test:
	@tools/setup test
	$(MAKE) lint
	cargo test --workspace --locked

bench:
	@tools/setup bench
	cargo build --release --locked --package sampan
	cargo build --release --locked --package sampan-registry --example load
	cargo build --release --locked --package sampan-chart --example render
	@bench/run

release:
	@tools/setup build
	RUSTFLAGS='-C target-feature=+crt-static -C relocation-model=static' cargo build --release --locked --package sampan --target x86_64-unknown-linux-gnu
