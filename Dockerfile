# docker build -t irsa-doctor .
# docker run --rm --user "$(id -u)" -v "$PWD:/work:ro" irsa-doctor check .
FROM python:3.13.15-slim-trixie@sha256:7c61056e61ac89e852de05f3dc6fa51a6dd2181797bceed46aa725dd7cb2cd3b AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
COPY requirements /requirements
RUN python -I -m venv /opt/build && python -I -m venv /opt/irsa-doctor \
    && /opt/build/bin/python -I -m pip install --require-hashes --only-binary :all: --no-deps -r /requirements/build.txt \
    && /opt/irsa-doctor/bin/python -I -m pip install --require-hashes --only-binary :all: --no-deps -r /requirements/run.txt
COPY . /source
RUN /opt/build/bin/python -I -m pip wheel --no-deps --no-index --no-build-isolation --wheel-dir /wheel /source \
    && /opt/irsa-doctor/bin/python -I -m pip install --no-deps --no-index /wheel/*.whl

FROM python:3.13.15-slim-trixie@sha256:7c61056e61ac89e852de05f3dc6fa51a6dd2181797bceed46aa725dd7cb2cd3b
# git, which reads other revisions, wants the folder to be the user's own: hence --user above.
# Its version is Debian's newest: an older one would keep known holes; apt checks Debian's signature.
RUN apt-get update && apt-get install -y --no-install-recommends git && rm -rf /var/lib/apt/lists/*
COPY --from=build /opt/irsa-doctor /opt/irsa-doctor
ENV PATH=/opt/irsa-doctor/bin:$PATH PYTHONDONTWRITEBYTECODE=1
USER 65532:65532
WORKDIR /work
ENTRYPOINT ["irsa-doctor"]
CMD ["--help"]
