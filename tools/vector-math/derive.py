"""Derives the coefficients of Graph.Codegen/VectorMath. Run: python3 derive.py [name ...]"""
import math
import struct
import sys

from mpmath import mp, mpf

from remez import fit, show, to_format

LN2 = mp.log(2)
HALF_LN2 = LN2 / 2 * mpf("1.001")       # the magic-number rounding may overshoot a little
QUARTER_PI = mp.pi / 4 * mpf("1.008")   # as for HALF_LN2, at the largest argument of the quick reduction
LOGISTIC_FACTOR = mpf("1.75")
EIGHTHS_FACTOR = to_format("1.80747485", 24)
ROOT = mp.sqrt(2) * mpf("1.0000001")


def series(f, zero):
    """f with its limit at 0."""
    return lambda x: zero if x == 0 else f(x)


def exp32():
    """exp(r) = 1 + r + r^2 q(r), relative."""
    return fit(mp.exp, range(7), -HALF_LN2, HALF_LN2, lambda x: mp.exp(-x), 24, {0: 1, 1: 1}, 400), 24


def exp64():
    return fit(mp.exp, range(12), -HALF_LN2, HALF_LN2, lambda x: mp.exp(-x), 53, {0: 1, 1: 1}, 400), 53


def logistic(powers, bits):
    """1.75 exp(-r) = 1.75 - 1.75 r + r^2 q(r), relative: ExponentialMath.Logistic says why 1.75."""
    fixed = {0: LOGISTIC_FACTOR, 1: -LOGISTIC_FACTOR}
    return fit(lambda r: LOGISTIC_FACTOR * mp.exp(-r), powers, -HALF_LN2, HALF_LN2, lambda r: mp.exp(r) / LOGISTIC_FACTOR, bits, fixed, 400), bits


def logistic32():
    return logistic(range(7), 24)


def logistic64():
    return logistic(range(12), 53)


def logistic32_eighths():
    """K exp(-r) = K + r q(r), relative, for steps of ln2/8.

    K 2^(j/8) as machine numbers err by -0.17 to 0.24 times 2^-24, so this errs upwards too.
    """
    end = HALF_LN2 / 8
    target = EIGHTHS_FACTOR * (1 + mpf("0.15") / 2**24)
    return fit(lambda r: target * mp.exp(-r), range(4), -end, end, lambda r: mp.exp(r) / target, 24, {0: EIGHTHS_FACTOR}, 400), 24


def ln2_eighth():
    """ln2/8 = m c for an integer m, m times which numbers below 2^11 are exact, and a machine number c."""
    def error(m):
        return abs(m * to_format(LN2 / 8 / m, 24) / (LN2 / 8) - 1)
    m = min(range(1, 1 << 13, 2), key=error)
    print(f"// ln2_eighth: {m} times {mp.nstr(to_format(LN2 / 8 / m, 24), 17)}, 2^{mp.nstr(mp.log(error(m), 2), 4)}")


def expm1_32():
    """expm1(r)/r = 1 + r q(r), relative."""
    f = series(lambda x: mp.expm1(x) / x, mpf(1))
    return fit(f, range(7), -HALF_LN2, HALF_LN2, lambda x: 1 / f(x), 24, {0: 1}, 400), 24


def expm1_64():
    f = series(lambda x: mp.expm1(x) / x, mpf(1))
    return fit(f, range(12), -HALF_LN2, HALF_LN2, lambda x: 1 / f(x), 53, {0: 1}, 400), 53


def tanh32_eighths():
    """tanh(r)/r = 1 + z p(z), z = r^2, for steps of ln2/16."""
    f = series(lambda z: mp.tanh(mp.sqrt(z)) / mp.sqrt(z), mpf(1))
    return fit(f, range(2), 0, (HALF_LN2 / 16) ** 2, lambda z: 1 / f(z), 24, {0: 1}, 200), 24


def tanh32_powers():
    """g and 2 g 2^(j/8) / (1 + j/8), for which g (S - 1) and g (S + 1) with S = 2^(k + j/8), as computed, err little in all octaves.

    A candidate g counts by the largest error, in ulp, that roundings can add up to: of the two, of numerator and denominator, and of the quotient.
    """
    def half_unit(x):
        return 2.0 ** (math.frexp(x)[1] - 25)

    def errors(j, g, product):
        """The largest error in each octave; products of two f32 are exact in f64, and so is what is rounded once."""
        for k in range(27):
            power = 2.0 ** (k + j / 8)
            low = to_single(product * (1 + j / 8) / 2 * 2.0 ** k - g)
            high = to_single(low + 2 * g)
            for t in tangents:
                top, bottom = low + high * t, high + low * t
                value = (power - 1 + (power + 1) * t) / (power + 1 + (power - 1) * t)
                error = abs(top / bottom / value - 1) + half_unit(top) / top + half_unit(bottom) / bottom
                yield error * value / (2 * half_unit(value)) + 0.5

    tangents = [math.tanh(i / 8 * math.log(2) / 32) for i in (-8, 8, 0, -4, 4, -6, 6, -2, 2)]
    print("// tanh32_powers: g, the product; the first are those of 0, where g is a power of two so that tanh of a tiny number is the number")
    print("0.5, 1,")
    for j in range(1, 8):
        best, chosen = math.inf, None
        for i in range(1, 20000):
            g = to_single((0.5 + i / 40000) / 2 ** (j / 8))
            product = to_single(g * 2 ** (j / 8) * 2 / (1 + j / 8))
            worst = 0
            for error in errors(j, g, product):
                worst = max(worst, error)
                if worst >= best:
                    break
            else:
                best, chosen = worst, (g, product)
        print(f"{chosen[0]:.9g}, {chosen[1]:.9g}, // {j}: {best:.3f} ulp")
        sys.stdout.flush()


def to_single(x):
    return struct.unpack("f", struct.pack("f", x))[0]


def tanh32():
    """tanh(x)/x = 1 + z p(z), z = x^2, below atanh(1/2)."""
    f = series(lambda z: mp.tanh(mp.sqrt(z)) / mp.sqrt(z), mpf(1))
    return fit(f, range(6), 0, mpf("0.5502") ** 2, lambda z: 1 / f(z), 24, {0: 1}, 400), 24


def tanh64():
    f = series(lambda z: mp.tanh(mp.sqrt(z)) / mp.sqrt(z), mpf(1))
    return fit(f, range(12), 0, mpf("0.5502") ** 2, lambda z: 1 / f(z), 53, {0: 1}, 400), 53


def log32():
    """log1p(f) = f - f^2/2 + f^3 p(f): the fit is of log1p(f)/f, relative."""
    f = series(lambda x: mp.log1p(x) / x, mpf(1))
    return fit(f, range(10), 1 / ROOT - 1, ROOT - 1, lambda x: 1 / f(x), 24, {0: 1, 1: mpf(-0.5)}, 400), 24


def log64():
    """log((1+s)/(1-s))/s = 2 + s^2 p(s^2), in z = s^2; weighed with z because the rest is exact."""
    def f(z):
        s = mp.sqrt(z)
        return mpf(2) if z == 0 else 2 * mp.atanh(s) / s
    top = ((ROOT - 1) / (ROOT + 1)) ** 2
    return fit(f, range(8), 0, top, lambda z: mpf(1) / 2, 53, {0: 2}, 400), 53


def sin32():
    """sin(r)/r = 1 + z p(z), z = r^2."""
    f = series(lambda z: mp.sin(mp.sqrt(z)) / mp.sqrt(z), mpf(1))
    return fit(f, range(4), 0, QUARTER_PI ** 2, lambda z: 1 / f(z), 24, {0: 1}, 400), 24


def cos32():
    """cos(r) = 1 - z/2 + z^2 p(z)."""
    f = lambda z: mp.cos(mp.sqrt(z))
    return fit(f, range(5), 0, QUARTER_PI ** 2, lambda z: 1 / f(z), 24, {0: 1, 1: mpf(-0.5)}, 400), 24


def sin64():
    f = series(lambda z: mp.sin(mp.sqrt(z)) / mp.sqrt(z), mpf(1))
    return fit(f, range(7), 0, QUARTER_PI ** 2, lambda z: 1 / f(z), 53, {0: 1}, 400), 53


def cos64():
    f = lambda z: mp.cos(mp.sqrt(z))
    return fit(f, range(8), 0, QUARTER_PI ** 2, lambda z: 1 / f(z), 53, {0: 1, 1: mpf(-0.5)}, 400), 53


def erf32_small():
    """erf(x)/x = p(z), z = x^2, for |x| < 0.921875; printed less 1, so that x + x p(z) rounds once."""
    f = lambda z: (2 / mp.sqrt(mp.pi) if z == 0 else mp.erf(mp.sqrt(z)) / mp.sqrt(z)) - 1
    return fit(f, range(6), 0, mpf("0.9219") ** 2, lambda z: 1 / (1 + f(z)), 24, {}, 400), 24


def erf32_large():
    """log(erfc(a)) in a on [0.9218, 3.93]; the error that counts is that of erfc beside erf."""
    return fit(lambda a: mp.log(mp.erfc(a)), range(7), mpf("0.9218"), mpf("3.93"),
               lambda a: mp.erfc(a) / mp.erf(a), 24, {}, 400), 24


def erf64_small():
    f = lambda z: (2 / mp.sqrt(mp.pi) if z == 0 else mp.erf(mp.sqrt(z)) / mp.sqrt(z)) - 1
    return fit(f, range(12), 0, mpf("1.0001"), lambda z: 1 / (1 + f(z)), 53, {}, 400), 53


def erf64_large():
    """erfc(a) exp(a^2) in t = (a - 2)/(a + 2) on [1, 6]; the error that counts is that of erfc beside erf."""
    a = lambda t: 2 * (1 + t) / (1 - t)
    f = lambda t: mp.erfc(a(t)) * mp.exp(a(t) ** 2)
    return fit(f, range(14), mpf(-1) / 3 - mpf("1e-4"), mpf(1) / 2, lambda t: mp.erfc(a(t)) / mp.erf(a(t)), 53, {}, 400), 53


def atan32():
    """atan(a)/a = 1 + z p(z), z = a^2, a in [0, 1]."""
    f = series(lambda z: mp.atan(mp.sqrt(z)) / mp.sqrt(z), mpf(1))
    return fit(f, range(9), 0, mpf("1.0001"), lambda z: 1 / f(z), 24, {0: 1}, 400), 24


def atan64():
    f = series(lambda z: mp.atan(mp.sqrt(z)) / mp.sqrt(z), mpf(1))
    return fit(f, range(21), 0, mpf("1.0001"), lambda z: 1 / f(z), 53, {0: 1}, 600), 53


def pow32_log2():
    """log2((1+s)/(1-s))/s in z = s^2, to about 2^-37."""
    def f(z):
        s = mp.sqrt(z)
        return 2 / LN2 if z == 0 else 2 * mp.atanh(s) / s / LN2
    top = ((ROOT - 1) / (ROOT + 1)) ** 2
    return fit(f, range(5), 0, top, lambda z: 1 / f(z), 53, {}, 400), 53


def pow32_exp2():
    """2^r on [-1/2, 1/2] in f64, to about 2^-31."""
    return fit(lambda x: mpf(2) ** x, range(7), mpf("-0.501"), mpf("0.501"), lambda x: mpf(2) ** -x, 53, {0: 1}, 400), 53


def pow64_log():
    """(log((1+s)/(1-s)) - 2 s)/s^3 = 2/3 + z p(z), z = s^2; 2/3 is kept in two parts."""
    def f(z):
        s = mp.sqrt(z)
        return mpf(2) / 3 if z == 0 else (2 * mp.atanh(s) / s - 2) / z
    top = ((ROOT - 1) / (ROOT + 1)) ** 2
    return fit(f, range(9), 0, top, lambda z: mpf(1), 53, {0: mpf(2) / 3}, 400), 53


def cbrt_guess():
    """m^(-1/3) for m in [1, 2], cubic."""
    return fit(lambda m: m ** (-mpf(1) / 3), range(4), 1, 2, lambda m: m ** (mpf(1) / 3), 24, {}, 200), 24


def pieces(name, f, first, cuts, scale, degree):
    """f on eight intervals, for PiecewisePolynomial: polynomials in the distance from a centre of each.

    A piece ends where first + scale x reaches the next of `cuts` parts of a power of two. At 0 the polynomial is that of f(x) - x, by f(x)/x. Elsewhere the centre is a number near the middle at which f is, to a thousandth of a unit, a machine number: the constant term errs by nothing.
    """
    edges = [mpf(first)]
    while len(edges) <= 8:
        step = mpf(2) ** mp.floor(mp.log(edges[-1], 2)) / cuts
        edges.append((mp.floor(edges[-1] / step) + 1) * step)
    edges = [(w - first) / mpf(scale) for w in edges]
    print(f"// {name}: up to {mp.nstr(edges[-1], 8)}, begins at {first}, scale {scale}, {cuts} pieces for each power of two")
    for low, high in zip(edges, edges[1:]):
        if low == 0:
            centre = mpf(0)
            g = series(lambda x: f(x) / x, mp.diff(f, 0))
            c, worst = fit(lambda x: g(x) - 1, range(degree), 0, high, lambda x: 1 / g(x), 24, {}, 200)
            c = {0: mpf(0), **{p + 1: v for p, v in c.items()}}
        else:
            centre = central(f, (low + high) / 2, (high - low) / 64)
            margin = (high - low) * mpf("1e-6")
            c, worst = fit(lambda t: f(centre + t), range(degree + 1), low - centre - margin, high - centre + margin,
                           lambda t: 1 / f(centre + t), 24, {0: to_format(f(centre), 24)}, 200)
        numbers = ", ".join(f"{float(v):.9g}" for v in [centre, *(c[p] for p in sorted(c))])
        print(f"[{numbers}], // {mp.nstr(low, 4)} to {mp.nstr(high, 4)}: 2^{mp.nstr(mp.log(worst, 2), 4)}")
        sys.stdout.flush()
    print()


def central(f, middle, reach):
    """A machine number near the middle of an interval whose function value nearly is one as well."""
    def off(x):
        value = f(x)
        return abs(value - to_format(value, 24)) / mpf(2) ** (mp.floor(mp.log(value, 2)) - 23)
    candidates = (to_format(middle + reach * i / 1000, 24) for i in range(-1000, 1001))
    return min(candidates, key=off)


def erf32_pieces():
    """erf on [0, 3.93]; beyond, it rounds to 1."""
    pieces("erf32", mp.erf, 1.25, 4, 0.954, 6)


ALL = [exp32, exp64, logistic32, logistic64, logistic32_eighths, expm1_32, expm1_64, tanh32_eighths, tanh32, tanh64, log32, log64,
       sin32, cos32, sin64, cos64, erf32_small, erf32_large, erf64_small, erf64_large, atan32, atan64, pow32_log2, pow32_exp2, pow64_log, cbrt_guess]
TABLES = [ln2_eighth, tanh32_powers, erf32_pieces]

if __name__ == "__main__":
    for function in ALL:
        if len(sys.argv) < 2 or function.__name__ in sys.argv[1:]:
            (coefficients, worst), bits = function()
            show(function.__name__, coefficients, worst, bits)
            sys.stdout.flush()
    for table in TABLES:
        if len(sys.argv) < 2 or table.__name__ in sys.argv[1:]:
            table()
