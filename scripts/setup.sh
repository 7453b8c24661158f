# Sets up a checkout: system packages, virtual environment, compiled module. Sourced by ./run and ./test.
# What is already there is left alone, so that the second call takes no time.

say() { printf '\033[1m==>\033[0m %s\n' "$*" >&2; }
die() { printf 'Error: %s\n' "$*" >&2; exit 255; }

# need COMMAND PACKAGE...: the packages that bring COMMAND; installed when root, else named.
missing_packages=()
need() {
    local command=$1
    shift
    command -v "$command" >/dev/null 2>&1 || missing_packages+=("$@")
}

# What only some tests use: without it they are skipped, and say so.
need_test_programs() {
    need strace strace
    need unzip unzip
    need zstd zstd
    need groff groff
    need qemu-img qemu-utils
    need mkfs.ext4 e2fsprogs
}

install_system_packages() {
    need cc build-essential
    need c++ build-essential
    need pkg-config pkg-config
    pkg-config --exists openssl 2>/dev/null || missing_packages+=(libssl-dev)
    python3 -c 'import ensurepip, venv' 2>/dev/null || missing_packages+=(python3-venv)
    if ${for_tests:-false} && [ "$(id -u)" = 0 ]; then need_test_programs; fi
    ((${#missing_packages[@]})) || return 0
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        say "installing ${missing_packages[*]}"
        apt-get update -qq >/dev/null && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "${missing_packages[@]}" >/dev/null ||
            die "apt-get install ${missing_packages[*]} failed"
    elif [ "${missing_packages[*]}" = libssl-dev ] || [ "${missing_packages[*]}" = "pkg-config libssl-dev" ]; then
        say "no OpenSSL headers: building OpenSSL from source (faster: apt-get install pkg-config libssl-dev)"
        build_features=(--features vendored-openssl)
    else
        die "missing system packages: as root, run: apt-get install ${missing_packages[*]}"
    fi
}

find_rust() {
    command -v cargo >/dev/null 2>&1 || PATH="$HOME/.cargo/bin:$PATH"
    command -v cargo >/dev/null 2>&1 || die "no Rust toolchain: install Rust 1.85 or newer (https://rustup.rs), then try again"
}

find_python() {
    python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null ||
        die "no Python 3.11 or newer: as root, run: apt-get install python3 python3-venv"
    [ -x .venv/bin/python ] || { say "making the virtual environment .venv"; python3 -m venv .venv; }
}

# fresh STAMP FILES...: true if the files are what they were when the stamp was written.
fingerprint_of() { find "$@" -type f -print0 | sort -z | xargs -0 cat | sha256sum; }
fresh() { [ -f ".venv/$1" ] && [ "$(cat ".venv/$1")" = "$(fingerprint_of "${@:2}")" ]; }
stamp() { fingerprint_of "${@:2}" >".venv/$1"; }

build_module() {
    local sources=(Cargo.toml Cargo.lock pyproject.toml crates)
    fresh module.stamp "${sources[@]}" && return 0
    say "building the compiled module (minutes the first time)"
    .venv/bin/python -m pip install --quiet --upgrade pip 'maturin>=1.9,<2'
    VIRTUAL_ENV="$PWD/.venv" .venv/bin/maturin develop --release --locked --quiet "${build_features[@]}" || return
    stamp module.stamp "${sources[@]}"
}

# Cargo knows what is fresh; the targets are no part of the workspace that the module is built from.
build_fuzz_targets() {
    say "building the fuzz targets (minutes the first time)"
    (cd fuzz && cargo build --release --locked --quiet "${build_features[@]}")
}

install_test_tools() {
    fresh tools.stamp pyproject.toml && return 0
    say "installing the test tools"
    .venv/bin/python -m pip install --quiet --group dev || return
    stamp tools.stamp pyproject.toml
}

build_features=()
install_system_packages
find_rust
find_python
