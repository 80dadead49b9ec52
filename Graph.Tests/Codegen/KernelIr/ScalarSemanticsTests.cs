using Graphene.Codegen;
using Graphene.Codegen.Llvm;
using NUnit.Framework;

namespace Graphene.Tests.Codegen.KernelIr;

/// <summary>Every instruction on every type at the edges: compiled, interpreted, and for pinned cases as written down here.</summary>
internal sealed class ScalarSemanticsTests
{
    private static readonly DType[] Types = [.. RandomExpression.Types];

    private static readonly DType[] ComputedTypes = [.. Types.Where(t => t is not (DType.F16 or DType.BF16))];

    [Test]
    public void InstructionsAgreeAtTheEdges(
        [ValueSource(nameof(ComputedTypes))] DType type, [Values(1, 8)] int lanes, [Values] bool isForOldProcessors)
    {
        LlvmTarget target = Target(isForOldProcessors);
        ulong[] edges = SampleBits.Edges(type);
        int count = (edges.Length * edges.Length + 7) / 8 * 8;
        ulong[] a = [.. Enumerable.Range(0, count).Select(i => edges[i % edges.Length])];
        ulong[] b = [.. Enumerable.Range(0, count).Select(i => edges[i / edges.Length % edges.Length])];
        ScalarOp[] ops = [.. Enum.GetValues<ScalarOp>().Where(op => KernelRules.Accepts(op, type))];

        KBuffer[] inputs = [Input(type, 0), Input(type, 1)];
        KBuffer[] outputs = [.. ops.Select((op, i) => KBuffer.ForArgument(op.ToString(), Result(op, type), i + 2, isReadOnly: false))];
        var builder = new KBuilder();
        builder.For("i", 0, count, lanes, i =>
        {
            KExpr x = builder.Let("x", new KLoad(inputs[0], i, lanes));
            KExpr y = builder.Let("y", new KLoad(inputs[1], i, lanes));
            KExpr[] arguments = [x, y, x];
            for (int k = 0; k < ops.Length; k++)
            {
                builder.Store(outputs[k], i, KBuilder.Call(ops[k], arguments[..KernelRules.Arity(ops[k])]));
            }
        });

        AssertSame(builder, [.. inputs, .. outputs], count, [SampleBits.ToBytes(type, a), SampleBits.ToBytes(type, b)], target);
    }

    [Test]
    public void ConversionsAgreeAtTheEdges(
        [ValueSource(nameof(Types))] DType from, [Values(1, 8)] int lanes, [Values] bool isForOldProcessors)
    {
        LlvmTarget target = Target(isForOldProcessors);
        var random = new Random(1);
        const int Count = 1024;
        ulong[] edges = SampleBits.Edges(from);
        ulong[] values = [.. edges, .. Enumerable.Range(0, Count - edges.Length).Select(_ => SampleBits.Next(random, from))];
        KBuffer input = Input(from, 0);
        KBuffer[] outputs = [.. Types.Select((t, i) => KBuffer.ForArgument(t.Name(), t, i + 1, isReadOnly: false))];
        var builder = new KBuilder();
        builder.For("i", 0, Count, lanes, i =>
        {
            foreach (KBuffer output in outputs)
            {
                builder.Store(output, i, new KConvert(new KLoad(input, i, lanes), output.Element));
            }
        });

        AssertSame(builder, [input, .. outputs], Count, [SampleBits.ToBytes(from, values)], target);
    }

    [TestCase(ScalarOp.Divide, DType.I32, 7, 0, -1)]
    [TestCase(ScalarOp.Remainder, DType.I32, 7, 0, 7)]
    [TestCase(ScalarOp.Divide, DType.I32, int.MinValue, -1, int.MinValue)]
    [TestCase(ScalarOp.Remainder, DType.I32, int.MinValue, -1, 0)]
    [TestCase(ScalarOp.Divide, DType.I8, -7, 2, -3)]
    [TestCase(ScalarOp.Remainder, DType.I8, -7, 2, -1)]
    [TestCase(ScalarOp.Divide, DType.U8, 200, 0, 255)]
    [TestCase(ScalarOp.Add, DType.I8, 127, 1, -128)]
    [TestCase(ScalarOp.Abs, DType.I16, short.MinValue, 0, short.MinValue)]
    [TestCase(ScalarOp.ShiftLeft, DType.I32, 1, 32, 0)]
    [TestCase(ScalarOp.ShiftLeft, DType.I32, 1, -1, 0)]
    [TestCase(ScalarOp.ShiftRightLogical, DType.I8, -1, 4, 15)]
    [TestCase(ScalarOp.ShiftRightArithmetic, DType.I8, -128, 100, -1)]
    [TestCase(ScalarOp.ShiftRightArithmetic, DType.U8, 128, 7, 255)]
    [TestCase(ScalarOp.PopulationCount, DType.I8, -1, 0, 8)]
    [TestCase(ScalarOp.CountLeadingZeros, DType.U16, 1, 0, 15)]
    [TestCase(ScalarOp.CountLeadingZeros, DType.I64, 0, 0, 64)]
    [TestCase(ScalarOp.Sign, DType.I64, -5, 0, -1)]
    [TestCase(ScalarOp.Less, DType.U8, 200, 100, 0)]
    [TestCase(ScalarOp.Maximum, DType.I8, -1, 1, 1)]
    public void IntegersArePinned(ScalarOp op, DType type, long a, long b, long expected)
    {
        Scalar result = Compute(op, Scalar.FromInteger(type, a), Scalar.FromInteger(type, b));

        Assert.That((long)result.AsInteger, Is.EqualTo(expected));
    }

    [TestCase(ScalarOp.Maximum, -0.0, 0.0, 0.0)]
    [TestCase(ScalarOp.Maximum, 0.0, -0.0, 0.0)]
    [TestCase(ScalarOp.Minimum, 0.0, -0.0, -0.0)]
    [TestCase(ScalarOp.Minimum, -0.0, 0.0, -0.0)]
    [TestCase(ScalarOp.Maximum, double.NaN, 1.0, double.NaN)]
    [TestCase(ScalarOp.Maximum, 1.0, double.NaN, double.NaN)]
    [TestCase(ScalarOp.Minimum, double.NegativeInfinity, double.NaN, double.NaN)]
    [TestCase(ScalarOp.Sign, -0.0, 0.0, -0.0)]
    [TestCase(ScalarOp.Sign, double.NaN, 0.0, double.NaN)]
    [TestCase(ScalarOp.Remainder, -7.5, 2.0, -1.5)]
    [TestCase(ScalarOp.RoundNearestEven, 2.5, 0.0, 2.0)]
    [TestCase(ScalarOp.RoundNearestAfz, 2.5, 0.0, 3.0)]
    [TestCase(ScalarOp.RoundNearestAfz, -0.3, 0.0, -0.0)]
    [TestCase(ScalarOp.RoundNearestAfz, 0.49999997, 0.0, 0.0)]
    [TestCase(ScalarOp.Truncate, -0.9, 0.0, -0.0)]
    [TestCase(ScalarOp.SquareRoot, -0.0, 0.0, -0.0)]
    [TestCase(ScalarOp.ReciprocalSquareRoot, -0.0, 0.0, double.NegativeInfinity)]
    public void RealsArePinned(ScalarOp op, double a, double b, double expected)
    {
        foreach (DType type in (DType[])[DType.F32, DType.F64])
        {
            Scalar result = Compute(op, Scalar.FromDouble(type, a), Scalar.FromDouble(type, b));

            Assert.That(result.AsDouble, Is.EqualTo(expected), $"{type}");
            Assert.That(
                double.IsNegative(result.AsDouble) || double.IsNaN(expected),
                Is.EqualTo(double.IsNegative(expected) || double.IsNaN(expected)));
        }
    }

    [TestCase(DType.F32, DType.I8, 300.0, 127.0)]
    [TestCase(DType.F32, DType.U8, -5.0, 0.0)]
    [TestCase(DType.F64, DType.I64, double.NaN, 0.0)]
    [TestCase(DType.F64, DType.I32, -1e10, int.MinValue)]
    [TestCase(DType.F64, DType.F16, 65519.99, 65504.0)]
    [TestCase(DType.F64, DType.F16, 65520.0, double.PositiveInfinity)]
    [TestCase(DType.F64, DType.BF16, 1.00390625000001, 1.0078125)]
    [TestCase(DType.F64, DType.BF16, 1.00390625, 1.0)]
    [TestCase(DType.F32, DType.BF16, double.NaN, double.NaN)]
    [TestCase(DType.F32, DType.Bool, double.NaN, 1.0)]
    [TestCase(DType.BF16, DType.F16, 1e-7, 1.1920928955078125e-07)]
    public void ConversionsArePinned(DType from, DType to, double value, double expected)
    {
        Scalar x = Scalar.FromDouble(from, value);
        Scalar result = Run(from, to, e => new KConvert(e[0], to), x);

        Assert.That(result.AsDouble, Is.EqualTo(expected));
    }

    private static LlvmTarget Target(bool isForOldProcessors)
    {
        LlvmTarget target = LlvmTarget.Host();
        Assume.That(!isForOldProcessors || target.Architecture == LlvmArchitecture.X64);
        return isForOldProcessors ? LlvmTarget.X64 : target;
    }

    private static Scalar Compute(ScalarOp op, Scalar a, Scalar b) => Run(
        a.DType, Result(op, a.DType), e => KBuilder.Call(op, KernelRules.Arity(op) == 1 ? [e[0]] : e), a, b);

    // Compiled for one and for eight lanes, and interpreted: all must agree.
    private static Scalar Run(DType type, DType result, Func<KExpr[], KExpr> f, params Scalar[] operands)
    {
        const int Count = 9;
        DType[] types = [.. operands.Select(_ => type)];
        Kernel kernel = MapKernel.Of("pinned", types, result, Count, 8, f);
        byte[][] buffers =
        [
            .. operands.Select(o => SampleBits.ToBytes(type, [.. Enumerable.Repeat(o.Bits, Count)])),
            new byte[Count * result.SizeInBytes()],
        ];
        byte[][] interpreted = Array.ConvertAll(buffers, b => (byte[])b.Clone());
        new KernelInterpreter(kernel, Array.ConvertAll(interpreted, b => (Memory<byte>)b)).Run();
        using var compiled = new CompiledKernel(kernel);
        compiled.Run(0, 1, buffers);

        Assert.That(SampleBits.FirstDifference(result, buffers[^1], interpreted[^1]), Is.EqualTo(-1));
        return SampleBits.Value(result, buffers[^1], Count - 1);
    }

    private static void AssertSame(
        KBuilder builder, KBuffer[] arguments, int count, byte[][] inputs, LlvmTarget? target = null)
    {
        var kernel = new Kernel("edges", arguments, new KVariable("task", KType.Index), 1, builder.ToBlock(), default);
        byte[][] buffers = [.. inputs, .. arguments[inputs.Length..].Select(o => new byte[count * o.Element.SizeInBytes()])];
        byte[][] expected = Array.ConvertAll(buffers, b => (byte[])b.Clone());
        new KernelInterpreter(
            kernel, Array.ConvertAll(expected, b => (Memory<byte>)b), hasFma: (target ?? LlvmTarget.Host()).HasFma).Run();
        using var compiled = new CompiledKernel(kernel, target);
        compiled.Run(0, 1, buffers);

        Assert.Multiple(() =>
        {
            for (int k = inputs.Length; k < arguments.Length; k++)
            {
                int at = SampleBits.FirstDifference(arguments[k].Element, buffers[k], expected[k]);
                string values = at < 0 ? "" : string.Join(", ", inputs.Select((x, i) => SampleBits.Value(arguments[i].Element, x, at)));
                Assert.That(
                    at < 0, $"{arguments[k]}({values}) = {(at < 0 ? "" : SampleBits.Value(arguments[k].Element, buffers[k], at))}, " +
                    $"interpreted {(at < 0 ? "" : SampleBits.Value(arguments[k].Element, expected[k], at))}");
            }
        });
    }

    private static KBuffer Input(DType type, int number) => KBuffer.ForArgument($"x{number}", type, number, isReadOnly: true);

    private static DType Result(ScalarOp op, DType type) =>
        op is ScalarOp.Equal or ScalarOp.NotEqual or ScalarOp.Less or ScalarOp.LessOrEqual or ScalarOp.IsFinite ? DType.Bool : type;
}
