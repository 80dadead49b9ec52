using Graphene.Codegen.Aot;
using Graphene.Interop.Onnx;
using Graphene.Tests.Optimizer;
using Graphene.Tests.Support;
using NUnit.Framework;

namespace Graphene.Tests.Codegen.Aot;

/// <summary>Sizes that are chosen for each run: results, workspace and errors are right for every one of them.</summary>
[TestFixture]
internal sealed class NativeSymbolTests
{
    [Test]
    public void DigitsGiveTheSessionsBitsForEveryBatch()
    {
        Module module = OnnxImporter.Import(RepositoryRoot.Combine("tools", "cli", "demo", "digits.onnx")).Module;
        byte[] file = File.ReadAllBytes(RepositoryRoot.Combine("tools", "cli", "demo", "digits-images.npy"));
        using var native = new LoadedNative(LoadedNative.Compile(module, AotTarget.Parse("x86-64")));
        using var session = new Graphene.Runtime.Session(
            module, new CompiledModule.Uncached(AotTarget.Parse("x86-64").Variants.Last(v => Runs(v)).Machine));
        foreach (int batch in (int[])[1, 2, 3, 7, 64])
        {
            ReadOnlyMemory<byte> pixels = file.AsMemory(^(64 * 784)..^((64 - batch) * 784));
            var images = new Literal(new TensorType(DType.U8, Shape.Of(batch, 28, 28, 1)), pixels);
            (int error, Literal[] outputs) = native.Run([images], [new TensorType(DType.F32, Shape.Of(batch, 10))], [batch]);
            Assert.That(error, Is.Zero);
            LiteralAssert.AreClose(outputs[0], session.Run("logits", Feeds(images)), 1e-6, 1e-6);
        }
    }

    // The slots of buffers of symbolic sizes: no two that live together meet, whatever the sizes.
    [Test]
    public void SizesOfSeveralSymbolsShareTheWorkspace([Values(1, 3, 17)] long rows, [Values(1, 5, 40)] long columns)
    {
        Dim n = Dim.Symbol("n", 1, 1000);
        Dim m = Dim.Symbol("m", 1, 1000);
        Module module = CompiledModule.Build(b =>
        {
            Node x = b.Parameter(0, new TensorType(DType.F32, [n, 8]));
            Node y = b.Parameter(1, new TensorType(DType.F32, [8, m]));
            Node product = b.Dot(x, y); // [n, m]
            Node gram = b.Dot(product, b.Transpose(product, [1, 0])); // [n, n]
            Node back = b.Dot(b.Transpose(product, [1, 0]), b.Softmax(gram, 1)); // [m, n]
            return [b.Dot(back, b.Dot(gram, x)), b.ReduceSum(b.Exponential(back), [0])];
        });
        using var native = new LoadedNative(LoadedNative.Compile(module));
        long[] dims = [.. native.Library.Functions[0].Plan.Symbols.Select(s => s.Name == "n" ? rows : columns)];
        Literal[] inputs =
        [
            Optimizing.Random(new TensorType(DType.F32, Shape.Of(rows, 8)), 1),
            Optimizing.Random(new TensorType(DType.F32, Shape.Of(8, columns)), 2),
        ];
        Module known = Specialization.Apply(module, new Dictionary<string, long> { ["n"] = rows, ["m"] = columns });
        (int error, Literal[] outputs) = native.Run(inputs, [.. known.Entry.Results.Select(r => r.Type)], dims);
        Assert.That(error, Is.Zero);
        Literal[] expected = Evaluator.Evaluate(known.Entry, inputs);
        for (int i = 0; i < expected.Length; i++)
        {
            LiteralAssert.AreClose(outputs[i], expected[i], 1e-3, 1e-4);
        }
    }

    [Test]
    public void SizesThatCannotBeAddressedAreRefused()
    {
        Dim n = Dim.Symbol("n");
        Dim m = Dim.Symbol("m");
        Module module = CompiledModule.Build(b =>
        {
            Node x = b.Parameter(0, new TensorType(DType.F32, [n, m]));
            return [b.Dot(b.Dot(x, b.Transpose(x, [1, 0])), x)];
        });
        using var native = new LoadedNative(LoadedNative.Compile(module));
        NativeFunction f = native.Library.Functions[0];
        long Workspace(long rows, long columns) =>
            native.WorkspaceBytes(f, [.. f.Plan.Symbols.Select(s => s.Name == "n" ? rows : columns)]);
        Assert.That(Workspace(int.MaxValue, int.MaxValue), Is.Zero, "2^64 bytes");
        Assert.That(Workspace(100, 200), Is.InRange(100 * 100 * 4, 1 << 20));
        Assert.That(Workspace(int.MaxValue, 1), Is.Zero, "n by n floats are 2^64 bytes, too");
        Assert.That(Workspace(1, int.MaxValue), Is.Positive);
    }

    private static Dictionary<string, Graphene.Runtime.Feed> Feeds(Literal images) => new() { ["image"] = images };

    private static bool Runs(AotVariant variant) => Graphene.Runtime.HostProcessor.MissingFeatures(variant.RequiredFeatures).Count == 0;
}
