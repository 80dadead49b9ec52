"""Times of the peers that are installed here, for the work that gpu-check measures: lines of name, peer, milliseconds.

Each is measured as its users would run it: PyTorch eager and compiled, JAX compiled, Triton's own kernel for sums of rows. What is not
installed, or fails, is left out, and said on the standard error stream. Arguments are the peers to measure; none for all.
"""
import sys

RUNS, WARMUP = 25, 5


def note(peer, why):
    print(f"{peer}: {why}", file=sys.stderr)


def work():
    for kind in ("bf16", "f16", "f32"):
        for size in (1024, 4096, 8192):
            yield f"product-{kind}-{size}", "product", kind, [(size, size), (size, size)]
    yield "softmax-f32-8192x4096", "softmax", "f32", [(8192, 4096)]
    yield "layernorm-f32-8192x4096", "layernorm", "f32", [(8192, 4096)]
    yield "gelu-f32-8192x8192", "gelu", "f32", [(8192, 8192)]
    yield "rowsum-f32-8192x8192", "rowsum", "f32", [(8192, 8192)]
    yield "columnsum-f32-8192x8192", "columnsum", "f32", [(8192, 8192)]
    yield "transpose-f32-8192x8192", "transpose", "f32", [(8192, 8192)]
    yield "attention-bf16-8x16x2048x64", "attention", "bf16", [(8, 16, 2048, 64)] * 3


def torch_times():
    import torch

    torch.backends.cuda.matmul.allow_tf32 = False
    kinds = {"bf16": torch.bfloat16, "f16": torch.float16, "f32": torch.float32}
    functions = {
        "product": lambda x, y: x @ y,
        "softmax": lambda x: torch.softmax(x, -1),
        "layernorm": lambda x: torch.nn.functional.layer_norm(x, x.shape[-1:]),
        "gelu": lambda x: torch.nn.functional.gelu(x),
        "rowsum": lambda x: x.sum(1),
        "columnsum": lambda x: x.sum(0),
        "transpose": lambda x: x.t().contiguous(),
        "attention": lambda q, k, v: torch.nn.functional.scaled_dot_product_attention(q, k, v),
    }
    for name, function, kind, shapes in work():
        inputs = [torch.rand(s, device="cuda").mul(2).sub(1).to(kinds[kind]) for s in shapes]
        for peer, run in (("torch", functions[function]), ("torch.compile", None)):
            try:
                run = run or torch.compile(functions[function])
                for _ in range(WARMUP):
                    run(*inputs)
                times = []
                for _ in range(RUNS):
                    begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
                    begin.record()
                    run(*inputs)
                    end.record()
                    torch.cuda.synchronize()
                    times.append(begin.elapsed_time(end))
                yield name, f"{peer} {torch.__version__}", min(times)
            except Exception as e:  # a peer that cannot do something is not our failure
                note(peer, f"{name}: {type(e).__name__}: {e}".splitlines()[0])


def jax_times():
    import time

    import jax
    import jax.numpy as jnp

    kinds = {"bf16": jnp.bfloat16, "f16": jnp.float16, "f32": jnp.float32}
    functions = {
        "product": lambda x, y: jnp.matmul(x, y, precision="highest" if x.dtype == jnp.float32 else None),
        "softmax": lambda x: jax.nn.softmax(x, -1),
        "layernorm": lambda x: (x - x.mean(-1, keepdims=True)) * jax.lax.rsqrt(x.var(-1, keepdims=True) + 1e-5),
        "gelu": lambda x: jax.nn.gelu(x, approximate=False),
        "rowsum": lambda x: x.sum(1),
        "columnsum": lambda x: x.sum(0),
        "transpose": lambda x: x.T.copy(),
        "attention": lambda q, k, v: jax.nn.softmax(q @ jnp.swapaxes(k, -1, -2) * 0.125, -1) @ v,
    }
    for name, function, kind, shapes in work():
        try:
            keys = jax.random.split(jax.random.PRNGKey(0), len(shapes))
            inputs = [jax.random.uniform(k, s, minval=-1, maxval=1).astype(kinds[kind]) for k, s in zip(keys, shapes)]
            run = jax.jit(functions[function])
            for _ in range(WARMUP):
                run(*inputs).block_until_ready()
            times = []
            for _ in range(RUNS):
                # No marks in the stream: ten calls in a row hide what a call costs the host.
                begin = time.perf_counter()
                for _ in range(10):
                    y = run(*inputs)
                y.block_until_ready()
                times.append((time.perf_counter() - begin) * 100)
            yield name, f"jax {jax.__version__}", min(times)
        except Exception as e:
            note("jax", f"{name}: {type(e).__name__}: {e}".splitlines()[0])


def triton_times():
    import torch
    import triton
    import triton.language as tl

    @triton.jit
    def row_sum(x, y, columns, block: tl.constexpr):
        row = tl.program_id(0)
        total = tl.zeros((block,), dtype=tl.float32)
        for start in range(0, columns, block):
            at = start + tl.arange(0, block)
            total += tl.load(x + row * columns + at, mask=at < columns, other=0.0)
        tl.store(y + row, tl.sum(total, 0))

    x, y = torch.rand((8192, 8192), device="cuda"), torch.empty((8192,), device="cuda")
    time = triton.testing.do_bench(lambda: row_sum[(8192,)](x, y, 8192, block=1024), return_mode="min")
    yield "rowsum-f32-8192x8192", f"triton {triton.__version__}", time


PEERS = {"torch": torch_times, "triton": triton_times, "jax": jax_times}

for peer in sys.argv[1:] or PEERS:
    try:
        for name, who, milliseconds in PEERS[peer]():
            print(f"{name}\t{who}\t{milliseconds}", flush=True)
    except ImportError as e:
        note(peer, f"not installed ({e})")
    except Exception as e:
        note(peer, f"{type(e).__name__}: {e}".splitlines()[0])
