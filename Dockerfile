# samsvar in a container: one binary, no shell, not root.
#
#   docker build -t samsvar .
#   docker run --rm --network host samsvar demo --once
FROM rust:1.95-slim-bookworm AS build
RUN apt-get update \
    && apt-get install -y --no-install-recommends gcc libc6-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /samsvar
COPY . .
RUN cargo build --release --locked --bin samsvar

FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /samsvar/target/release/samsvar /usr/local/bin/samsvar
COPY --from=build /samsvar/config /etc/samsvar
USER nonroot
ENTRYPOINT ["/usr/local/bin/samsvar"]
CMD ["serve", "--config", "/etc/samsvar/samsvar.toml"]
