# fsctl for containers. FreeSWITCH is not in it: yours connects to the port 8084, see compose.yaml.
#
# The image has the same directory as the Debian package: every dependency as locked, by its hash.

ARG DEBIAN=debian:bookworm-slim

FROM ${DEBIAN} AS build
RUN apt-get update -qq \
    && apt-get install -qq -y --no-install-recommends python3 python3-venv ca-certificates \
    && python3 -m venv /tools
COPY . /source
# A file of authorities of your own, where a proxy makes one necessary.
ARG PIP_CERT
RUN PIP=/tools/bin/pip /source/packaging/program /usr/lib/fsctl

FROM ${DEBIAN}
RUN apt-get update -qq \
    && apt-get install -qq -y --no-install-recommends python3 libstdc++6 ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --home-dir /var/lib/fsctl --create-home --shell /usr/sbin/nologin fsctl
COPY --from=build /usr/lib/fsctl /usr/lib/fsctl
RUN ln -s /usr/lib/fsctl/bin/fsctl /usr/bin/fsctl
USER fsctl
WORKDIR /var/lib/fsctl
VOLUME /var/lib/fsctl
ENV PYTHONUNBUFFERED=1 \
    FSCTL_LISTEN=0.0.0.0:8084 \
    FSCTL_WEB_LISTEN=0.0.0.0:8080
EXPOSE 8084 8080
# As long as hunts may take to end.
STOPSIGNAL SIGTERM
ENTRYPOINT ["fsctl"]
CMD ["serve"]
