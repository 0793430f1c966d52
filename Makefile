# Each target sets up what it needs by itself: Python 3.11+, make and a package index are enough.
.PHONY: demo test check bench chaos chaos-full chaos-seeds chaos-calls chaos-fills chaos-budget fuzz matrix venue-clients venue-ccxt-suite docs lock pages clean setup

PY := .venv/bin/python

# an empty environment has no PATH, and make then finds no shell
ifeq ($(strip $(PATH)),)
PATH := /usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
endif
export PATH

demo: setup  ## stream, trade and settle on a local Binance and Kraken, offline
	@$(PY) -m planar demo $(ARGS)

test: setup  ## all tests but the long ones; many of them wait: one process more than processors
	@sh scripts/redis.sh >/dev/null || true
	@$(PY) -m tests -n $$(( $$(nproc) + 1 )) --dist loadfile --no-loadscope-reorder $(ARGS)

check: setup  ## style, types, layers
	@$(PY) -m ruff format --check .
	@$(PY) -m ruff check .
	@$(PY) -m pyright --pythonpath $(PY)
	@.venv/bin/lint-imports --no-cache

bench: setup  ## figures beside their floor and their peer
	@$(PY) -m benchmarks $(ARGS)

chaos: setup  ## kill -9, lost answers, lost fills, callers who leave, signals, seeds; the ledger judges: ten minutes
	@$(PY) -m benchmarks.safety.chaos $(ARGS)

chaos-full: setup  ## the same with the whole counts, 10,000 kills and answers on each exchange: below four hours
	@$(PY) -m benchmarks.safety.chaos --full $(ARGS)

chaos-seeds: setup  ## 1,000 seeds, each a life under faults, each lived twice: the same to the byte
	@$(PY) -m benchmarks.safety.seeds $(ARGS)

chaos-calls: setup  ## 100,000 mixed calls under every fault: each ends in time, truly or as a fault explains; no leak
	@$(PY) -m benchmarks.mixed $(ARGS)

chaos-fills: setup  ## 1,000 frames of fills that a healthy stream never brought, on each exchange: found within 30 s
	@for exchange in binance kraken; do \
		$(PY) -m benchmarks.safety.missed_fills --exchange $$exchange --drops 1000 $(ARGS) || exit 1; done

fuzz: setup  ## a million random answers and stream frames: no exception but ours, nothing made up
	@$(PY) -m tests.fuzz $(ARGS)

matrix: setup  ## every unified method of every id of CCXT against a recorder: only Planar's errors come out
	@$(PY) -m tests.matrix $(ARGS)

venue-clients: setup  ## clients that we did not write, against the local venue, in their own environments
	@$(PY) -m tests.judges $(ARGS)

venue-ccxt-suite: setup  ## CCXT's own live suite, unmodified, against the local venue
	@$(PY) -m tests.ccxt_suite $(ARGS)

chaos-budget: setup  ## processes on one key: shared file, kill -9, a Redis and its troubles, a ban; judged by the venue's count
	@sh scripts/redis.sh >/dev/null
	@for scene in "" --kill --ban --redis "--redis --kill" "--redis --stop-redis" \
		"--redis --stop-redis --start-redis" "--redis --slow-redis" "--redis --full-redis" \
		"--exchange kraken" "--exchange kraken --kill" "--exchange kraken --redis"; do \
		$(PY) -m benchmarks.meters $$scene $(ARGS) || exit 1; done

docs: setup  ## run every code block of README.md and docs/
	@$(PY) -m pytest tests/docs $(ARGS)

pages: setup  ## write what is generated again: the matrix, the pages of exchanges, the API reference, the synchronous face
	@$(PY) scripts/sync_face.py
	@$(PY) -m tests.matrix --page
	@$(PY) scripts/exchange_pages.py
	@$(PY) scripts/api_reference.py

lock: setup  ## compile the pinned requirements again
	@for name in tools runtime dev $(basename $(patsubst requirements/%,%,$(wildcard requirements/judges/*.in))) npm; do \
		sh scripts/lock.sh $$name || exit 1; done

setup:
	@/bin/sh scripts/bootstrap.sh

clean:  ## remove everything that was made
	@rm -rf .venv .tools .judges .bootstrap.log build dist src/*.egg-info .pytest_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
