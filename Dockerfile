# exportd in a container: a static binary, nothing else, not root, on a read-only root file system.
#
#   docker build -t exportd .
#   docker run --read-only --cap-drop ALL --security-opt no-new-privileges --stop-timeout 45 \
#     -v ./config:/etc/exportd:ro -v ./secrets:/run/secrets:ro -v exportd-state:/var/lib/exportd exportd
#
# Certificates of public authorities and the time zones are in the binary. deploy/compose.yaml says more.

# The version of rust-toolchain.toml, which is not copied: it would have rustup fetch formatter and linter.
FROM rust:1.95.0-alpine AS build
RUN apk add --no-cache musl-dev gcc make cmake perl
WORKDIR /src
COPY Cargo.toml Cargo.lock jobs.example.toml ./
COPY src src
# Named in Cargo.toml, so they must be there for it to be read; they are not compiled.
COPY benches benches
COPY tests/main.rs tests/
RUN cargo build --release --locked --bin exportd
# Owned by the user of the last stage, so that a fresh volume can be written to.
RUN mkdir -p /empty/state

FROM scratch
COPY --from=build /src/target/release/exportd /usr/bin/exportd
COPY --from=build --chown=65532:65532 --chmod=700 /empty/state /var/lib/exportd
# SQLite sorts what does not fit into memory in a temporary file. There is no other folder that can be written to.
ENV TMPDIR=/var/lib/exportd
USER 65532:65532
VOLUME /var/lib/exportd
# Takes no new work, and waits up to 30 s for what runs.
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/bin/exportd"]
CMD ["serve"]
