# exportd in a container: a static binary, nothing else, not root, on a read-only root file system.
#
#   docker build -t exportd .
#   docker run --read-only --cap-drop ALL --security-opt no-new-privileges \
#     -v ./jobs.toml:/etc/exportd/jobs.toml:ro -v ./secrets:/run/secrets:ro -v exportd-state:/var/lib/exportd exportd

FROM rust:1.95-alpine AS build
RUN apk add --no-cache musl-dev gcc make cmake perl
WORKDIR /src
COPY Cargo.toml Cargo.lock rust-toolchain.toml ./
COPY src src
# The only test target is named in Cargo.toml, so its file must exist for the manifest to be read.
RUN mkdir tests && touch tests/main.rs && cargo build --release --locked --bin exportd
# Owned by the user of the last stage, so that a fresh volume can be written to.
RUN mkdir -p /empty/state

FROM scratch
COPY --from=build /src/target/release/exportd /usr/bin/exportd
COPY --from=build --chown=65532:65532 --chmod=700 /empty/state /var/lib/exportd
USER 65532:65532
VOLUME /var/lib/exportd
ENTRYPOINT ["/usr/bin/exportd"]
CMD ["serve"]
