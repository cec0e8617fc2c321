# Two stages: the Rust toolchain builds the same static program that the Debian package has (packaging/build), a small Debian
# runs it. Letters, fonts, migrations and pages are built into it.
FROM rust:1.95-slim-bookworm AS build
RUN apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev musl-tools && rm -rf /var/lib/apt/lists/* \
 && rustup target add x86_64-unknown-linux-musl
WORKDIR /src
COPY Cargo.toml Cargo.lock askama.toml ./
COPY crates crates
COPY src src
COPY templates templates
COPY migrations migrations
COPY config config
# The test and bench targets are named in the manifest; empty ones are enough to build the program.
RUN mkdir -p tests/it && echo 'fn main() {}' > tests/it/main.rs
RUN CC_x86_64_unknown_linux_musl=musl-gcc cargo build --release --locked --target x86_64-unknown-linux-musl --bin touchline \
 && install -m 755 target/x86_64-unknown-linux-musl/release/touchline /touchline && strip /touchline

FROM debian:bookworm-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --home-dir /var/lib/touchline --create-home touchline
COPY --from=build /touchline /usr/local/bin/touchline
USER touchline
WORKDIR /var/lib/touchline
ENV TOUCHLINE_CONFIG=/etc/touchline/touchline.toml \
    TOUCHLINE_SERVER__LISTEN=0.0.0.0:8025
EXPOSE 8025
VOLUME /var/lib/touchline
STOPSIGNAL SIGTERM
ENTRYPOINT ["touchline"]
CMD ["serve"]
