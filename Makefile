# Two commands do it all: `make demo` and `make test`. The rest are their parts.
.PHONY: help setup ui build lint test fuzz sim demo demo-clean bench

help:            ## this list
	@grep -E '^[a-z-]+: .*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

setup:           ## install what building and testing need (asks before sudo)
	@tools/setup

ui: setup        ## build the web page that the core embeds
	@tools/ui

build: ui        ## the release binaries
	cargo build --release --locked --bins
	@tools/ort --optional

lint: ui         ## formatting, clippy, documentation
	@tools/lint

test: ui         ## everything CI runs
	@tools/test

fuzz: ui         ## strangers' bytes through every reader, SECONDS=60 a target
	@tools/fuzz $(or $(SECONDS),60)

sim:             ## a day of a simulated village; SEED=N HOURS=H says which and how long
	@SEED='$(SEED)' HOURS='$(HOURS)' tools/sim

demo:            ## four simulated cameras and the server; CAMERA=rtsp://… adds your own
	@CAMERA='$(CAMERA)' exec tools/demo

demo-clean:      ## leave nothing of the demo behind
	@tools/demo --clean

bench: build     ## the measurements of benches/README.md
	@benches/run
