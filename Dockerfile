# docker build -t irsa-doctor .
# docker run --rm --user "$(id -u)" -v "$PWD:/work:ro" irsa-doctor check .
FROM python:3.13-slim AS build
COPY . /source
RUN python -m venv /opt/irsa-doctor && /opt/irsa-doctor/bin/pip install --no-cache-dir --disable-pip-version-check /source

FROM python:3.13-slim
# git, which reads other revisions, wants the folder to be the user's own: hence --user above
RUN apt-get update && apt-get install -y --no-install-recommends git && rm -rf /var/lib/apt/lists/*
COPY --from=build /opt/irsa-doctor /opt/irsa-doctor
ENV PATH=/opt/irsa-doctor/bin:$PATH PYTHONDONTWRITEBYTECODE=1
USER 65532:65532
WORKDIR /work
ENTRYPOINT ["irsa-doctor"]
CMD ["--help"]
