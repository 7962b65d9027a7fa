# Everything by hand starts here; `make help` lists the targets. A fresh Debian 12 or 13, as root, needs only make.
.DEFAULT_GOAL := help
SHELL := /bin/bash

# Debian's own Python: the one that python3-dev has the headers of.
PYTHON := /usr/bin/python3
VENV := .venv
# The clients `netconf` and `nornir-netconf` need libraries too old for the rest.
VENV_NETCONF := .cache/venv-netconf
# Ansible, with the two collections that speak NETCONF out of the hundred that its package carries.
VENV_ANSIBLE := .cache/venv-ansible
COLLECTIONS := ansible.netcommon ansible.utils
APT_LISTS := .ci/apt-packages.txt .ci/apt-packages-dev.txt
PIP_FLAGS := --quiet --disable-pip-version-check --no-input --no-deps --require-hashes --no-build-isolation
# The locks are complete: no dependency is resolved, every file is checked against its hash, and what has to be
# compiled (libyang's binding) is built with the build tools that are locked too.
pip_install = $(1)/bin/pip install $(PIP_FLAGS) -r .ci/requirements-build.lock \
	&& $(1)/bin/pip install $(PIP_FLAGS) -r $(2)

.PHONY: help setup lab lab-down test test-debian13 fuzz bench bindings lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: .cache/apt.done $(VENV)/nesrv.done $(VENV_NETCONF)/done $(VENV_ANSIBLE)/done ## install Debian packages and the Python environments
	@echo "setup: ready ($(VENV)/bin/nesrv)"

lab: setup ## start the example network on this machine and configure it over NETCONF
	lab/lab up
	$(VENV)/bin/python lab/configure.py

lab-down: ## remove the example network
	lab/lab down

test: setup ## run every check and test; LANES="unit types" runs some
	@$(VENV)/bin/python tests/run.py $(LANES)

test-debian13: ## run the tests that meet FRR on Debian 13, in a directory under .cache (needs debootstrap)
	.ci/debian13

fuzz: setup ## fuzz for some minutes; FUZZ=100 for 100 times as many messages as a test run has
	NESRV_FUZZ=$(or $(FUZZ),20) $(VENV)/bin/pytest --quiet tests/fuzz

bench: setup ## measure, and hold the figures against their bounds
	@$(VENV)/bin/python tests/run.py bench

bindings: setup ## write bindings/classes anew from the YANG modules
	$(VENV)/bin/python bindings/generate.py

lock: ## write .ci/*.lock from pyproject.toml; UPGRADE=--upgrade moves what is locked
	.ci/lock $(UPGRADE)

clean: ## remove the environments and caches of this checkout
	rm -rf $(VENV) .cache build dist

# A package removed by hand later is not noticed: remove the stamp, or `make clean`.
.cache/apt.done: .ci/apt-install .ci/policy-rc.d $(APT_LISTS)
	@echo "setup: Debian packages"
	@.ci/apt-install $(APT_LISTS)
	@mkdir -p $(@D) && touch $@

$(VENV)/done: .ci/requirements-build.lock .ci/requirements-dev.lock | .cache/apt.done
	@echo "setup: Python environment $(VENV)"
	@$(PYTHON) -m venv $(VENV)
	@$(call pip_install,$(VENV),.ci/requirements-dev.lock)
	@touch $@

# The checkout itself, for its command and its version; its files are used where they are.
$(VENV)/nesrv.done: $(VENV)/done pyproject.toml .ci/wheel_hook.py
	@echo "setup: $(VENV)/bin/nesrv"
	@$(VENV)/bin/pip install --quiet --disable-pip-version-check --no-index --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV_NETCONF)/done: .ci/requirements-build.lock .ci/requirements-netconf.lock | .cache/apt.done
	@echo "setup: Python environment $(VENV_NETCONF)"
	@$(PYTHON) -m venv $(VENV_NETCONF)
	@$(call pip_install,$(VENV_NETCONF),.ci/requirements-netconf.lock)
	@touch $@

$(VENV_ANSIBLE)/done: .ci/requirements-build.lock .ci/requirements-ansible.lock .ci/requirements-ansible-collections.lock \
		.ci/unpack_collections.py | .cache/apt.done
	@echo "setup: Python environment $(VENV_ANSIBLE)"
	@$(PYTHON) -m venv $(VENV_ANSIBLE)
	@$(call pip_install,$(VENV_ANSIBLE),.ci/requirements-ansible.lock)
	@$(VENV_ANSIBLE)/bin/pip download $(PIP_FLAGS) --dest $(VENV_ANSIBLE)/package -r .ci/requirements-ansible-collections.lock
	@$(VENV_ANSIBLE)/bin/python .ci/unpack_collections.py $(VENV_ANSIBLE)/package $(COLLECTIONS)
	@rm -r $(VENV_ANSIBLE)/package
	@touch $@
