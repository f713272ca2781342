# `sam build` runs this by the Makefile of the processor, in a copy of this folder.
include $(dir $(lastword $(MAKEFILE_LIST)))../python.mk

PACKAGES = $(ARTIFACTS_DIR)/python
POWERTOOLS = $(PACKAGES)/aws_lambda_powertools
# `whole` supports FIPS and dual-stack endpoints, which the trimmed botocore does not, and starts more slowly.
BOTOCORE ?= trimmed
ifeq ($(filter trimmed whole,$(BOTOCORE)),)
$(error BOTOCORE is "$(BOTOCORE)", but must be trimmed or whole)
endif

build-SchedulingLayer:
	@"$(PYTHON)" -m pip install --quiet --disable-pip-version-check --root-user-action ignore \
	    --no-deps --no-compile --require-hashes --only-binary :all: \
	    --implementation cp --python-version 3.13 --platform $(PLATFORM) \
	    --target "$(PACKAGES)" --requirement requirements.txt
	@cp -R scheduling "$(PACKAGES)/"
	@# Remove what no function imports, directly or indirectly.
ifeq ($(BOTOCORE),trimmed)
	@"$(PYTHON)" trim_botocore.py "$(PACKAGES)/botocore"
endif
	@rm -rf "$(PACKAGES)"/*.dist-info "$(PACKAGES)/bin" "$(PACKAGES)/tools" "$(PACKAGES)/croniter/tests" \
	    "$(PACKAGES)/pydantic/v1" "$(PACKAGES)/pydantic/mypy.py" "$(POWERTOOLS)/event_handler"
	@find "$(POWERTOOLS)/utilities" -mindepth 1 -maxdepth 1 \
	    ! -name __init__.py ! -name jmespath_utils ! -name typing -exec rm -r {} +
	@# A copy of tzdata, which dateutil reads only where a caller asks it for a zone by its name.
	@rm -r "$(PACKAGES)/dateutil/zoneinfo"
	@find "$(PACKAGES)/cron_descriptor/locale" -type f ! -name en_US.mo -delete
	@find "$(PACKAGES)" \( -name __pycache__ -o -name '*.pyi' -o -name py.typed \) -prune -exec rm -r {} +
	@$(call compile,$(ARTIFACTS_DIR),/opt)
