# `make` alone lists what there is.

PYTHON ?= python3
PORT   ?= 8000
TWILIO_PORT = $(shell expr $(PORT) + 9)
BIN    := .venv/bin
MANAGE := $(BIN)/python manage.py

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run chat test bench faults fuzz long lint audit pictures requirements

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-14s%s\n", $$1, $$2}' Makefile

run: .venv/requirements.installed .env ## try it: demo data, the admin and a simulated phone (PORT=8000)
	@for port in $(PORT) $(TWILIO_PORT); do \
	  $(BIN)/python -c "import socket; socket.create_server(('127.0.0.1', $$port))" 2>/dev/null || \
	  { echo "Port $$port is not free. To take another one: make run PORT=..." >&2; exit 1; }; done
	@$(MANAGE) migrate --skip-checks --verbosity 0
	@$(MANAGE) demo
	@printf '%s\n' '' \
	  'Andon is starting. Ctrl-C stops it.' '' \
	  '  The admin, for staff    http://127.0.0.1:$(PORT)/admin/' \
	  '  A phone to try it on    http://127.0.0.1:$(PORT)/simulator/' \
	  '  The same in a terminal  make chat' '' \
	  'Try first: say "hi", then the number of what you want. "menu" always leads back.' ''
	@# A process beside the server is one more line with & here: they end together. Without an
	@# account of yours, a fake Twilio on this machine takes the messages and reports on them; the
	@# worker, which asks it first, waits until it is there.
	@trap 'kill $$pids 2>/dev/null; wait' EXIT; trap 'exit 0' INT TERM; \
	export DJANGO_RUNSERVER_HIDE_WARNING=true; \
	grep -q '^PUBLIC_URL=' .env || export PUBLIC_URL=http://127.0.0.1:$(PORT); \
	if ! { cat .env; env; } | grep -Eq '^TWILIO_(ACCOUNT_SID=[^A]?AC0*[1-9a-fA-F]|API_URL=.)'; then \
	  export TWILIO_API_URL=http://127.0.0.1:$(TWILIO_PORT); \
	  $(MANAGE) fake_twilio --quiet --callbacks --approve --port $(TWILIO_PORT) \
	    --deliver-to http://127.0.0.1:$(PORT) & pids="$$pids $$!"; \
	  until $(BIN)/python -c "import socket; socket.create_connection(('127.0.0.1', $(TWILIO_PORT)))" \
	    2>/dev/null || ! kill -0 $$! 2>/dev/null; do sleep 0.2; done; \
	fi; \
	$(MANAGE) worker --quiet & pids="$$pids $$!"; \
	$(MANAGE) runserver $(PORT) & server=$$!; pids="$$pids $$!"; \
	wait $$server

chat: .venv/requirements.installed .env ## talk to it in this terminal (WHO=worker, WHO=customer)
	@$(MANAGE) migrate --skip-checks --verbosity 0
	@$(MANAGE) chat $(WHO)

# So that what one worker, or an earlier run, has compiled is there for the others.
test: export PYTHONDONTWRITEBYTECODE =
test: .venv/requirements-dev.installed ## all tests (ARGS="-k webhook", TEST_DATABASE_URL=postgres://...)
	@$(BIN)/python -m pytest -n auto $(ARGS)

bench: .venv/requirements-dev.installed ## how fast it is, beside the least for it (ARGS=all, BENCH_DATABASE_URL=postgres://...)
	@$(BIN)/python -m benchmarks $(ARGS)

faults: .venv/requirements-dev.installed ## break it on purpose and count (ARGS="kills --database sqlite", ARGS=--long)
	@$(BIN)/python -m benchmarks.faults $(ARGS)

fuzz: .venv/requirements-dev.installed ## bytes that nobody would think of (ARGS="webhook --runs 5000000")
	@$(BIN)/python -m benchmarks.fuzz $(ARGS)

# What fails does not keep the others from running.
long: .venv/requirements-dev.installed ## all that takes hours, one after the other: faults, conversations, bytes, the API
	@verdict=; failed=0; \
	try() { \
	  printf '\n== %s\n' "$$*"; \
	  if $(MAKE) --no-print-directory "$$@"; then word=passed; else word=FAILED; failed=1; fi; \
	  verdict="$$verdict$$(printf '  %-6s  make %s' $$word "$$*")\n"; \
	}; \
	try faults ARGS=--long; \
	try test CONVERSATIONS=2000 ARGS='-k any_conversation -n 0'; \
	try fuzz ARGS='webhook --runs 5000000'; \
	try fuzz ARGS='dialog --runs 5000000'; \
	try test API_EXAMPLES=200 ARGS='-k as_it_is_described'; \
	printf "\n== verdict\n$$verdict"; exit $$failed

# Without a database, and at the end with the settings of .env.example, its gaps filled.
lint: export DJANGO_SETTINGS_MODULE = config.settings_test
lint: export TEST_DATABASE_URL = sqlite://:memory:
lint: .venv/requirements-dev.installed ## style, faults, layers, missing migrations, security settings
	$(BIN)/ruff format --check --quiet
	$(BIN)/ruff check --quiet
	$(BIN)/lint-imports --no-logo
	@# It says a lot on stderr, which is of interest only when it fails.
	said=$$(git ls-files 'config/*.py' 'whatsapp_bot/*.py' 'orders/*.py' 'defects/*.py' | grep -v /tests/ \
	  | xargs $(BIN)/bandit --quiet --severity-level medium 2>&1) || { printf '%s\n' "$$said"; exit 1; }
	git ls-files '*.html' | xargs -r $(BIN)/djade --check --target-version 5.2
	$(MANAGE) makemigrations --check --dry-run
	DJANGO_SETTINGS_MODULE=config.settings ANDON_ENV_FILE=.env.example \
	  TWILIO_ACCOUNT_SID=AC0123456789abcdef0123456789abcdef TWILIO_AUTH_TOKEN=0123456789abcdef \
	  SECRET_KEY='nothing is signed with this key, which is only there to be checked' \
	  DATABASE_URL=sqlite:////var/lib/andon/db.sqlite3 MEDIA_ROOT=/var/lib/andon/media \
	  $(MANAGE) check --deploy --fail-level WARNING

audit: .venv/requirements-dev.installed ## does any package that is pinned have a known vulnerability? (asks the internet)
	@$(BIN)/pip-audit --requirement requirements.txt --require-hashes --disable-pip --strict \
	  --progress-spinner off

pictures: .venv/requirements-dev.installed ## draw the pictures of the handbook (needs Debian's chromium-headless-shell)
	@$(BIN)/python docs/pictures.py

requirements: .venv/requirements-dev.installed ## pin the newest versions that requirements*.in allow
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet uv
	$(PIN) requirements.in --output-file requirements.txt
	$(PIN) requirements-dev.in --output-file requirements-dev.txt --constraints requirements.txt

PIN = $(BIN)/uv pip compile --quiet --upgrade --generate-hashes --universal --python-version 3.11 \
  --custom-compile-command 'make requirements'

# An environment is made anew whose Python is gone, or another one since the system was upgraded.
$(shell $(BIN)/python -c 'import pip' 2>/dev/null || rm -f $(BIN)/python .venv/*.installed)

.venv/%.installed: %.txt $(BIN)/python
	@echo 'Installing $< into .venv (a minute or two, and only when it has changed).'
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes -r $<
	@touch $@

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo 'Andon needs Python 3.11 or newer. To name another one: make PYTHON=python3.12 ...' >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo "Python's venv module is missing. On Debian or Ubuntu: sudo apt install python3-venv" >&2; exit 1; }
	@$(PYTHON) -m venv --clear .venv

# What the trial needs; everything else has a value for it already.
.env: | $(BIN)/python
	@umask 077; $(BIN)/python -c 'import os, secrets; \
	  zone = os.path.realpath("/etc/localtime").partition("/zoneinfo/")[2] or "UTC"; \
	  print("DEBUG=true", f"SECRET_KEY={secrets.token_urlsafe(48)}", f"TIME_ZONE={zone}", sep="\n")' > $@
	@echo 'Wrote .env, the settings of this trial. See .env.example for all of them.'
