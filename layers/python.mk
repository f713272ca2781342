# Python 3.13 from the PATH, else from pyenv: byte code is of use only to the version that compiled it.
PYTHON := $(shell for python in python3.13 "$${PYENV_ROOT:-$$HOME/.pyenv}"/versions/3.13.*/bin/python3.13; do \
    "$$python" -c "" 2>/dev/null && echo "$$python" && break; done)
ifeq ($(PYTHON),)
$(error python3.13 is neither on the PATH nor in pyenv)
endif

# Beside the modules, wherever the project's own byte code goes.
unexport PYTHONPYCACHEPREFIX
# Unchecked, since a zip carries no time stamps to check. $(1) is the folder, $(2) where Lambda has it.
compile = "$(PYTHON)" -m compileall -q -f --invalidation-mode unchecked-hash -s "$(1)" -p $(2) "$(1)"
