# The short loop: no RabbitMQ, no network.
check:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets -- -D warnings
    cargo test --workspace --lib --bins
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps

# Everything, as continuous integration runs it.
test:
    scripts/test

# The allocator under Miri. Needs nightly Rust with the component miri.
miri:
    cd wiping && cargo +nightly miri test --lib --test every_block_is_given_back_zero

# Licences, banned crates and who may depend on whom. Needs cargo-deny.
deny:
    cargo deny check bans licenses sources

# A node without anything installed: asks eight simulated authorities and shows the answer.
demo:
    cargo run --release -- demo

# A private RabbitMQ on the port that config/samsvar.toml expects.
rabbitmq:
    scripts/rabbitmq --port 5672

# Every fuzz target for a while. Needs nightly Rust and cargo-fuzz.
fuzz seconds="60":
    cd shs-schemas && for target in $(cargo +nightly fuzz list); do cargo +nightly fuzz run "$target" -- -max_total_time={{seconds}}; done

# The node beside a bare AMQP client, on a RabbitMQ of its own: throughput, latency, cost, ratios.
load *arguments:
    cargo run --release -p samsvar-load -- {{arguments}}

# Criterion: reading, checking, compiling, and one request through the actors.
bench:
    cargo bench -p shs-schemas -p samsvar-actors
