"""The reference runner: executes extensions as WASM components and provides the platform's host interfaces."""
