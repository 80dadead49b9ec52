using Graphene.Codegen.Aot;
using Graphene.Codegen.Llvm;
using Graphene.Interop.Numpy;
using Graphene.Interop.Onnx;
using Graphene.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using NUnit.Framework;

namespace Graphene.Tests.Codegen.Aot;

/// <summary>
/// Graphs compiled to WebAssembly give in Node what they give in a session, and their modules hold no
/// more than they need.
/// </summary>
internal sealed class WasmModelTests
{
    // A multiply-add is rounded twice in WebAssembly, once on the processors that sessions run on.
    private const double Tolerance = 2e-5;

    private static readonly LlvmTarget[] Targets = [LlvmTarget.Wasm32, LlvmTarget.Wasm32Simd];

    private static IEnumerable<TestCaseData> Each() =>
        [
            new TestCaseData(LlvmTarget.Wasm32).SetArgDisplayNames("plain"),
            new TestCaseData(LlvmTarget.Wasm32Simd).SetArgDisplayNames("simd"),
        ];

    [TestCaseSource(nameof(Each))]
    public void TheMlpGivesWhatTheSessionGives(LlvmTarget target) => MustAgree(Mlp(1), [RandomFeed(1)], target);

    [TestCaseSource(nameof(Each))]
    public void SizesAreChosenAtRunTime(LlvmTarget target) =>
        MustAgree(Mlp("batch"), [RandomFeed(1), RandomFeed(7), RandomFeed(2), RandomFeed(33)], target);

    [TestCaseSource(nameof(Each))]
    public void TheDigitsModelReadsDigits(LlvmTarget target)
    {
        NodeEngine.Require();
        using var folder = new TemporaryFolder();
        Module module = OnnxImporter.Import(RepositoryRoot.Combine("tools", "cli", "demo", "digits.onnx")).Module;
        Literal images = NpyFile.Read(RepositoryRoot.Combine("tools", "cli", "demo", "digits-images.npy")).Reshape(Shape.Of(64, 28, 28, 1));
        Literal labels = NpyFile.Read(RepositoryRoot.Combine("tools", "cli", "demo", "digits-labels.npy"));

        MustAgree(module, [images, images], target, (results, _) =>
        {
            int[] read = [.. Enumerable.Range(0, 64).Select(i => Largest(results[0].As<float>().Slice(10 * i, 10)))];
            int right = read.Zip(labels.As<byte>().ToArray()).Count(p => p.First == p.Second);
            Assert.That(right, Is.GreaterThanOrEqualTo(63));
        });
    }

    [TestCaseSource(nameof(Each))]
    public void RandomGraphsGiveWhatTheSessionGives(LlvmTarget target)
    {
        NodeEngine.Require();
        int seeds = int.TryParse(Environment.GetEnvironmentVariable("GRAPHENE_RANDOM_GRAPHS"), out int n) ? Math.Max(1, n / 20) : 4;
        for (int seed = 1; seed <= seeds; seed++)
        {
            Module module = RandomGraph.Generate(seed, size: 40, wholeNumbers: true);
            if (module.Entry.PostOrder().Any(node => node.Op is HostCallOp))
            {
                continue;
            }
            var random = new Random(seed);
            Literal[] feeds = [.. module.Entry.Parameters.Select(p => Literal.Generate(
                p.Type, _ => Scalar.FromNumber(p.Type.DType, random.Next(-4, 5))))];
            Literal[] expected = CompiledModule.Run(module, feeds);
            using var folder = new TemporaryFolder();
            WasmRun.Compile(module, folder, target);
            Literal[] actual = WasmRun.Run(folder, module.InputNames, [expected], [feeds]).Results[0];
            for (int i = 0; i < expected.Length; i++)
            {
                LiteralAssert.AreEqual(actual[i], expected[i], $"seed {seed}, result {i}");
            }
        }
    }

    [TestCaseSource(nameof(Each))]
    public void TheCodeOfTheMlpFits16Kilobytes(LlvmTarget target)
    {
        NodeEngine.Require();
        using WasmModule module = WasmModule.Compile(Mlp(1), target, NullLogger.Instance);
        TestContext.Out.WriteLine($"{module.CodeInBytes} bytes of code, {module.StackInBytes} of stack");

        Assert.That(module.CodeInBytes, Is.LessThanOrEqualTo(16 * 1024));
        Assert.That(module.WeightsInBytes, Is.GreaterThanOrEqualTo(4 * ((784 * 128) + 128 + (128 * 10) + 10)));
    }

    [Test]
    public void TwoCompilationsAreEqual()
    {
        NodeEngine.Require();
        using var first = new TemporaryFolder();
        using var second = new TemporaryFolder();
        WasmRun.Compile(Mlp("batch"), first, Targets);
        WasmRun.Compile(Mlp("batch"), second, Targets);
        string[] files = [.. Directory.GetFiles(first.Path).Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal)];

        Assert.That(files, Is.EqualTo((string[])["model.d.ts", "model.mjs", "model.simd.wasm", "model.wasm"]));
        foreach (string file in files)
        {
            Assert.That(File.ReadAllBytes(first.Combine(file)), Is.EqualTo(File.ReadAllBytes(second.Combine(file))), file);
        }
    }

    [Test]
    public void NothingIsImportedAndMemoryIsExact()
    {
        NodeEngine.Require();
        using var folder = new TemporaryFolder();
        using (WasmModule module = WasmModule.Compile(Mlp(1), LlvmTarget.Wasm32Simd, NullLogger.Instance))
        {
            using FileStream stream = File.Create(folder.Combine("model.wasm"));
            module.Write(stream);
            File.WriteAllText(folder.Combine("look.mjs"), """
                import { readFile } from 'node:fs/promises';
                const module = await WebAssembly.compile(await readFile(new URL('./model.wasm', import.meta.url)));
                const { exports } = await WebAssembly.instantiate(module);
                let grows = true;
                try { exports.memory.grow(1); } catch { grows = false; }
                const [imports, names] = [WebAssembly.Module.imports(module).length, Object.keys(exports).sort()];
                console.log(JSON.stringify([imports, names, exports.memory.buffer.byteLength / 65536, grows]));
                """);
            stream.Close();
            Assert.That(
                NodeEngine.Run(folder.Combine("look.mjs")).Trim(), Is.EqualTo($"[0,[\"memory\",\"run\"],{module.MemoryInPages},false]"));
            Assert.That(module.MemoryInPages, Is.EqualTo((module.WeightsInBytes + 65535) / 65536).Within(1));
        }
    }

    [Test]
    public void WeightsMayLieBesideTheModule()
    {
        NodeEngine.Require();
        using var folder = new TemporaryFolder();
        WasmFiles.Write(Mlp(1), folder.Combine("model.wasm"), Targets, keepsWeightsApart: true);

        Assert.That(new FileInfo(folder.Combine("model.weights")).Length, Is.GreaterThan(400_000));
        Assert.That(new FileInfo(folder.Combine("model.wasm")).Length, Is.LessThan(16 * 1024));
        Compare(folder, Mlp(1), [RandomFeed(1)], null);
    }

    private static void MustAgree(
        Module module, IReadOnlyList<Literal> feeds, LlvmTarget target, Action<Literal[], NodeFigures>? look = null)
    {
        NodeEngine.Require();
        using var folder = new TemporaryFolder();
        WasmRun.Compile(module, folder, target);
        Compare(folder, module, feeds, look);
    }

    private static void Compare(TemporaryFolder folder, Module module, IReadOnlyList<Literal> feeds, Action<Literal[], NodeFigures>? look)
    {
        Literal[][] expected = [.. feeds.Select(f => CompiledModule.Run(module, [f]))];
        (Literal[][] actual, NodeFigures figures) = WasmRun.Run(
            folder, module.InputNames, expected, [.. feeds.Select(f => (IReadOnlyList<Literal>)[f])]);
        for (int run = 0; run < feeds.Count; run++)
        {
            for (int i = 0; i < expected[run].Length; i++)
            {
                LiteralAssert.AreClose(actual[run][i], expected[run][i], Tolerance, Tolerance, $"run {run}");
            }
            look?.Invoke(actual[run], figures);
        }
    }

    // 784-128-10 with a softmax, as in the README.
    private static Module Mlp(Dim batch)
    {
        var b = new GraphBuilder();
        Node x = b.Parameter(0, new TensorType(DType.F32, Shape.From([batch, 784])));
        Node hidden = b.Add(b.MatMul(x, Weights(b, 784, 128)), Bias(b, batch, 128));
        hidden = b.Maximum(hidden, b.Splat(DType.F32, Shape.From([batch, 128]), 0));
        Node logits = b.Add(b.MatMul(hidden, Weights(b, 128, 10)), Bias(b, batch, 10));
        Computation entry = b.Build("entry", [b.Softmax(logits, 1)]);
        return new Module("mlp", entry, ["x"], ["probabilities"], b.Provenance);
    }

    private static Node Weights(GraphBuilder b, int rows, int columns) => b.Constant(Literal.From<float>(
        [.. Enumerable.Range(0, rows * columns).Select(i => MathF.Sin(i) / 8)], rows, columns));

    private static Node Bias(GraphBuilder b, Dim batch, int columns) => b.BroadcastInDim(
        b.Constant(Literal.From<float>([.. Enumerable.Range(0, columns).Select(i => MathF.Cos(i))], columns)),
        Shape.From([batch, columns]), [1]);

    private static Literal RandomFeed(int batch)
    {
        var random = new Random(batch);
        return Literal.From<float>([.. Enumerable.Range(0, batch * 784).Select(_ => random.NextSingle())], batch, 784);
    }

    private static int Largest(ReadOnlySpan<float> values)
    {
        int best = 0;
        for (int i = 1; i < values.Length; i++)
        {
            best = values[i] > values[best] ? i : best;
        }
        return best;
    }
}
