using Graphene.Codegen;
using Graphene.Codegen.Llvm;
using NUnit.Framework;

namespace Graphene.Tests.Codegen.KernelIr;

/// <summary>Products of tiles: AMX gives what the interpreter gives, bit for bit, and malformed ones are refused.</summary>
internal sealed class TileTests
{
    private const string Amx = "+avx512f,+avx512bw,+avx512vl,+amx-tile,+amx-int8,+amx-bf16";

    private static readonly LlvmTarget Target = Processor.With(Amx);

    private static IEnumerable<TestCaseData> Cases =>
        from types in new[]
        {
            (DType.I8, DType.I8), (DType.U8, DType.I8), (DType.I8, DType.U8), (DType.U8, DType.U8), (DType.BF16, DType.BF16),
        }
        from shape in new[] { (16, 16, 16), (5, 3, 7), (1, 16, 1) }
        select new TestCaseData(types.Item1, types.Item2, shape.Item1, shape.Item2, shape.Item3)
            .SetArgDisplayNames(types.Item1.Name(), types.Item2.Name(), $"{shape}");

    [TestCaseSource(nameof(Cases))]
    public void TheInstructionsGiveWhatTheInterpreterGives(DType left, DType right, int rows, int groups, int columns)
    {
        Processor.Require(Target);
        Kernel kernel = Product(left, right, rows, groups, columns);
        int group = KDot.Group(left);
        using var compiled = new CompiledKernel(kernel, Target);
        for (int seed = 0; seed < 20; seed++)
        {
            var random = new Random(seed);
            byte[][] buffers =
            [
                SampleBits.Array(random, left, rows * groups * group), SampleBits.Array(random, right, groups * columns * group),
                SampleBits.Array(random, left == DType.BF16 ? DType.F32 : DType.I32, rows * columns),
            ];
            byte[][] expected = Array.ConvertAll(buffers, b => (byte[])b.Clone());
            new KernelInterpreter(kernel, Array.ConvertAll(expected, b => (Memory<byte>)b)).Run();

            compiled.Run(0, 1, buffers);

            DType sum = kernel.Arguments[2].Element;
            Assert.That(SampleBits.FirstDifference(sum, buffers[2], expected[2]), Is.EqualTo(-1), $"seed {seed}");
        }
    }

    [TestCaseSource(nameof(Cases))]
    public void TheyCompileEverywhereAndAreReadBack(DType left, DType right, int rows, int groups, int columns)
    {
        Kernel kernel = Product(left, right, rows, groups, columns);
        string text = KernelPrinter.Print(kernel);

        Assert.That(KernelPrinter.Print(KernelParser.Parse(text)), Is.EqualTo(text));
        Assert.That(text, Does.Contain($"b: {right.Name()}[{groups}, {columns * KDot.Group(left)}]"));
        Assert.That(LlvmCompiler.Compile(new LlvmKernelPrinter(Target, _ => 0).Print(kernel), Target), Is.Not.Empty);
        Assert.That(
            () => new LlvmKernelPrinter(LlvmTarget.X64V4, _ => 0).Print(kernel),
            Throws.TypeOf<CompilerBugException>().With.Message.Contains("has no tiles"));
    }

    [Test]
    public void MalformedTilesAreRefused()
    {
        var sum = new KTile("s", DType.I32, 16);
        var bytes = new KTile("b", DType.I8, 64);
        var wide = new KTile("w", DType.I8, 80);
        var odd = new KTile("o", DType.I8, 6);
        KBuffer floats = KBuffer.ForArgument("x", DType.F32, 0, isReadOnly: true);
        var empty = new KBlock([]);
        Assert.Multiple(() =>
        {
            Assert.That(KernelRules.Problem(new KTiles([sum], [1], empty)), Is.Null);
            Assert.That(KernelRules.Problem(new KTiles([], [], empty)), Is.EqualTo("there are 1 to 8 tiles, not 0"));
            Assert.That(KernelRules.Problem(new KTiles([sum], [17], empty)), Is.EqualTo("a tile has 1 to 16 rows, not 17"));
            Assert.That(KernelRules.Problem(new KTiles([wide], [1], empty)), Does.StartWith("a row of 'w' takes 80 bytes"));
            Assert.That(KernelRules.Problem(new KTiles([odd], [1], empty)), Does.StartWith("a row of 'o' takes 6 bytes"));
            Assert.That(KernelRules.Problem(new KTileLoad(bytes, floats, 0, 64)), Is.EqualTo("x holds f32, 'b' i8"));
            Assert.That(KernelRules.Problem(new KTileStore(bytes, floats, 0, 64)), Is.EqualTo("x is read-only"));
            Assert.That(KernelRules.Problem(new KTileDot(sum, bytes, bytes)), Is.Null);
            Assert.That(KernelRules.Problem(new KTileDot(bytes, bytes, bytes)), Is.EqualTo("the sum is i8, not i32"));
            Assert.That(KernelRules.Problem(new KTileDot(sum, bytes, odd)), Is.EqualTo("the right tile has 6 columns, not 64"));
        });
        Refused("tiles are declared while others are visible", new KTiles([sum], [1], new KBlock([new KTiles([bytes], [1], empty)])));
        Refused("'s' is not visible here", new KTileZero(sum));
        Refused("'b' is not visible here", new KTiles([sum], [1], new KBlock([new KTileDot(sum, bytes, bytes)])));
    }

    private static void Refused(string message, KStmt statement)
    {
        var kernel = new Kernel("bad", [], new KVariable("t", KType.Index), 1, new KBlock([statement]), default);

        Assert.That(() => KernelVerifier.Verify(kernel), Throws.TypeOf<CompilerBugException>().With.Message.Contains(message));
    }

    // c += a x b, then c + a x b again from memory; rows of b are groups of k.
    private static Kernel Product(DType left, DType right, int rows, int groups, int columns)
    {
        int group = KDot.Group(left);
        DType type = left == DType.BF16 ? DType.F32 : DType.I32;
        KBuffer a = KBuffer.ForArgument("x", left, 0, isReadOnly: true);
        KBuffer b = KBuffer.ForArgument("y", right, 1, isReadOnly: true);
        KBuffer c = KBuffer.ForArgument("z", type, 2, isReadOnly: false);
        var sum = new KTile("sum", type, columns);
        var leftTile = new KTile("a", left, groups * group);
        var rightTile = new KTile("b", right, columns * group);
        var body = new KBlock(
        [
            new KTileLoad(sum, c, 0, columns),
            new KTileLoad(leftTile, a, 0, groups * group),
            new KTileLoad(rightTile, b, 0, columns * group),
            new KTileDot(sum, leftTile, rightTile),
            new KTileDot(sum, leftTile, rightTile),
            new KTileStore(sum, c, 0, columns),
            new KTileZero(sum),
        ]);
        var tiles = new KTiles([sum, leftTile, rightTile], [rows, rows, groups], body);
        return new Kernel("product", [a, b, c], new KVariable("task", KType.Index), 1, new KBlock([tiles]), default);
    }
}
