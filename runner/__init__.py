"""The reference runner: executes extensions as WASM components and gives them the platform's host interfaces."""
