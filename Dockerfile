# syntax=docker/dockerfile:1
# The serving image: the proxy, the encoder and the shipped detector of malicious prompts; no
# trainers, no vLLM, no torch.
#
#   docker build --build-arg TORCH_INDEX=… -t ecoguard .
#   docker run --read-only -p 8080:8080 -v "$PWD/guard.yaml:/etc/ecoguard/guard.yaml:ro" \
#       -v "$PWD/requests:/etc/ecoguard/requests:ro" -e ECOGUARD_CORRUPTION_KEY ecoguard
#
# A tag moves with its security updates. `make image` looks up the digest that the tag has, builds on
# it and says so in a label; a release is built with the digest that its notes name:
#   make image BASE=python:3.13-slim-trixie@sha256:…
ARG BASE=python:3.13-slim-trixie

FROM ${BASE} AS build
# Another index, where there is no way to PyPI. Not for passwords: build
# arguments stay in the image's history.
ARG PIP_INDEX_URL
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /source
# The environment has no pip of its own: the build stage's installs into it.
RUN python -m venv --without-pip /opt/ecoguard
COPY locks locks
RUN pip --python /opt/ecoguard/bin/python install --no-deps --require-hashes -r locks/serve.txt \
    && pip install --no-deps --require-hashes -r locks/build.txt
COPY pyproject.toml README.md LICENSE NOTICE ./
COPY guard guard
COPY classifiers classifiers
# The SBOM lists what is in the environment, with versions and licences.
RUN pip wheel --no-deps --no-build-isolation --wheel-dir /wheels . \
    && pip --python /opt/ecoguard/bin/python install --no-deps /wheels/*.whl \
    && cyclonedx-py environment --pyproject pyproject.toml --mc-type application \
        --output-file /opt/ecoguard/sbom.cdx.json /opt/ecoguard/bin/python

# The trainers are installed on top and stay here: of this stage the image takes the artifacts alone.
FROM build AS training
# torch alone and from its own index. Pass the address of PyTorch's index of CPU builds: the default
# index has the build with CUDA, ten times the size. It stands on PyTorch's "get started" page. The
# hashes of its builds for this Python are put into the lock once: make locks TORCH_INDEX=…
ARG TORCH_INDEX
RUN if [ -n "$TORCH_INDEX" ]; then \
        pip --python /opt/ecoguard/bin/python install --no-deps --require-hashes -r locks/torch-cpu.txt \
            --index-url "$TORCH_INDEX"; \
    else \
        pip --python /opt/ecoguard/bin/python install --no-deps --require-hashes -r locks/torch.txt \
            -r locks/cuda.txt; \
    fi \
    && pip --python /opt/ecoguard/bin/python install --no-deps --require-hashes -r locks/train.txt
RUN /opt/ecoguard/bin/ecoguard-train encoder /artifacts/encoder \
    && /opt/ecoguard/bin/ecoguard-train shipped /artifacts/malicious

# The trainers as an image of their own, for training where the traffic is:
# docker build --target trainer -t ecoguard-train .
FROM training AS trainer
RUN mv /artifacts /opt/ecoguard/artifacts \
    && useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin ecoguard
ENV PATH=/opt/ecoguard/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 HOME=/tmp
USER 10001:10001
WORKDIR /tmp
ENTRYPOINT ["ecoguard-train"]

FROM ${BASE}
LABEL org.opencontainers.image.title="EcoGuard" \
      org.opencontainers.image.description="An OpenAI-compatible safeguard proxy in front of vLLM" \
      org.opencontainers.image.licenses="Apache-2.0"
# Nothing is installed here any more. A number as user, so that Kubernetes can verify runAsNonRoot.
# The link is for configurations whose paths are relative to their folder, as the example's are.
RUN python -m pip uninstall --yes --quiet --root-user-action=ignore pip \
    && useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin ecoguard \
    && mkdir /etc/ecoguard && ln -s /opt/ecoguard/artifacts /etc/ecoguard/artifacts
COPY --from=build /opt/ecoguard /opt/ecoguard
COPY --from=training /artifacts /opt/ecoguard/artifacts

# Logs as they happen; no bytecode is written, so that the root file system can be read-only.
ENV PATH=/opt/ecoguard/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
# Prompt embeddings are buffers of megabytes, made and freed with every corrupted prompt. Left alone,
# glibc gives many of them back to the kernel, and the next costs a page fault for every 4 KiB. These
# keep them on the heap (32 MiB is the most that glibc allows) and up to 256 MiB of it when free:
# encoding prompts of 50 to 1500 tokens on four threads takes half the time, for 15 % more memory.
ENV MALLOC_MMAP_THRESHOLD_=33554432 MALLOC_TRIM_THRESHOLD_=268435456
# Threads of numpy would fight with those of screening for the same cores; the encoder's
# own are `encoder.threads`.
ENV OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1

USER 10001:10001
WORKDIR /etc/ecoguard
EXPOSE 8080
# `listen.host` must be 0.0.0.0 in a container, so loopback answers too.
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f'http://127.0.0.1:{os.environ.get(\"ECOGUARD_LISTEN_PORT\", 8080)}/livez', timeout=2)"]
ENTRYPOINT ["ecoguard"]
CMD ["serve", "--config", "/etc/ecoguard/guard.yaml"]
