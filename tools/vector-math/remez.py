"""Minimax fits with coefficients that are machine numbers (needs mpmath)."""
import struct

from mpmath import mp, mpf, matrix, lu_solve, cos, pi

mp.dps = 60


def to_format(value, bits):
    """The nearest number with a significand of that many bits (24: f32, 53: f64)."""
    value = mpf(value)
    if value == 0:
        return value
    _, exponent = mp.frexp(value)
    scale = mpf(2) ** (bits - exponent)
    return mp.nint(value * scale) / scale


def hex_bits(value, bits):
    if bits == 24:
        return "0x%08X" % struct.unpack("<I", struct.pack("<f", float(value)))[0]
    return "0x%016X" % struct.unpack("<Q", struct.pack("<d", float(value)))[0]


def _exchange(target, basis, weight, a, b, grid):
    """Remez exchange for sum c_i basis_i(x) ~ target(x), minimising |error(x) * weight(x)|."""
    count = len(basis)
    # Slightly uneven, so that none is 0, where weights may vanish.
    nodes = [(a + b) / 2 - (b - a) / 2 * cos(pi * i / count) for i in range(count + 1)]
    nodes = [x + (b - a) * mpf("1e-4") if abs(x) < (b - a) * mpf("1e-5") else x for x in nodes]
    samples = [a + (b - a) * (mpf("1.00001") - cos(pi * i / grid)) / mpf("2.00001") for i in range(grid + 1)]
    samples = [x for x in samples if x != 0]
    table = [[f(x) for f in basis] + [target(x), weight(x)] for x in samples]
    best = None
    for _ in range(60):
        system = matrix(count + 1, count + 1)
        right = matrix(count + 1, 1)
        for row, x in enumerate(nodes):
            for column, f in enumerate(basis):
                system[row, column] = f(x)
            system[row, count] = (-1) ** row / weight(x)
            right[row] = target(x)
        solution = lu_solve(system, right)
        c = [solution[i] for i in range(count)]
        level = abs(solution[count])
        errors = [(sum(c[i] * t[i] for i in range(count)) - t[count]) * t[count + 1] for t in table]
        worst = max(abs(e) for e in errors)
        if best is None or worst < best[1]:
            best = (c, worst)
        if worst <= level * mpf("1.002") or worst == 0:
            break
        # The largest error of each run of one sign.
        peaks = []
        for x, e in zip(samples, errors):
            if peaks and (peaks[-1][1] >= 0) == (e >= 0):
                if abs(e) > abs(peaks[-1][1]):
                    peaks[-1] = (x, e)
            else:
                peaks.append((x, e))
        while len(peaks) > count + 1:
            if abs(peaks[0][1]) < abs(peaks[-1][1]):
                peaks.pop(0)
            else:
                peaks.pop()
        nodes = [x for x, _ in peaks] if len(peaks) == count + 1 else _exchange_one(nodes, solution[count], samples, errors)
    return best


def _exchange_one(nodes, level, samples, errors):
    """Takes the worst point in for the neighbouring node that has its sign. Slower, but it never runs out of peaks."""
    worst = max(range(len(samples)), key=lambda i: abs(errors[i]))
    x, sign = samples[worst], errors[worst] > 0
    signs = [((-1) ** i * level < 0) for i in range(len(nodes))]
    if x < nodes[0]:
        return [x] + (nodes[1:] if signs[0] == sign else nodes[:-1])
    if x > nodes[-1]:
        return (nodes[:-1] if signs[-1] == sign else nodes[1:]) + [x]
    after = next(i for i, node in enumerate(nodes) if node >= x)
    place = after if signs[after] == sign else after - 1
    return nodes[:place] + [x] + nodes[place + 1:]


def fit(target, powers, a, b, weight, bits, fixed=None, grid=2000):
    """Coefficients for x**powers. They are rounded one at a time, lowest power first, and the rest is fitted again.

    fixed: {power: value} for coefficients that are given.  bits: significand bits, or a list, one for each power.
    Returns ({power: value}, worst weighted error).
    """
    a, b = mpf(a), mpf(b)
    chosen = {p: mpf(v) for p, v in (fixed or {}).items()}
    free = [p for p in powers if p not in chosen]
    widths = dict(zip(powers, bits if isinstance(bits, list) else [bits] * len(powers)))
    worst = None
    while free:
        # On both sides of 0 only powers from 0 on determine a best fit, so the lowest one is divided out.
        low = free[0] if a < 0 < b else 0

        def rest(x, low=low):
            return (target(x) - sum(v * x ** p for p, v in chosen.items())) / x ** low

        basis = [(lambda x, p=p - low: x ** p) for p in free]
        c, worst = _exchange(rest, basis, lambda x, low=low: weight(x) * abs(x) ** low, a, b, grid)
        chosen[free[0]] = to_format(c[0], widths[free[0]])
        free = free[1:]
    samples = [a + (b - a) * i / (4 * grid) for i in range(4 * grid + 1)]
    worst = max(abs((sum(v * x ** p for p, v in chosen.items()) - target(x)) * weight(x)) for x in samples)
    return chosen, worst


def show(name, coefficients, worst, bits):
    print(f"// {name}: worst error {mp.nstr(worst, 4)} = 2^{mp.nstr(mp.log(worst, 2), 5)}")
    for p in sorted(coefficients):
        value = coefficients[p]
        digits = 9 if bits == 24 else 17
        print(f"//   x^{p}: {float(value):.{digits}g}  {hex_bits(value, bits)}")
    print()
