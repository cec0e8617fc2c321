# Two stages: the Rust toolchain builds, a small Debian runs. Letters, fonts, migrations and pages are built into the binary.
FROM rust:1.95-slim-bookworm AS build
RUN apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY Cargo.toml Cargo.lock askama.toml ./
COPY crates crates
COPY src src
COPY templates templates
COPY migrations migrations
COPY config config
# The test and bench targets are named in the manifest; empty ones are enough to build the program.
RUN mkdir -p tests/it && echo 'fn main() {}' > tests/it/main.rs
RUN cargo build --release --locked --bin touchline && strip target/release/touchline

FROM debian:bookworm-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --home-dir /var/lib/touchline --create-home touchline
COPY --from=build /src/target/release/touchline /usr/local/bin/touchline
USER touchline
WORKDIR /var/lib/touchline
ENV TOUCHLINE_CONFIG=/etc/touchline/touchline.toml \
    TOUCHLINE_SERVER__LISTEN=0.0.0.0:8025
EXPOSE 8025
VOLUME /var/lib/touchline
STOPSIGNAL SIGTERM
ENTRYPOINT ["touchline"]
CMD ["serve"]
