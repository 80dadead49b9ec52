using System.Runtime.Intrinsics.X86;
using Graphene.Codegen.Aot;
using Graphene.Tests.Optimizer;
using Graphene.Tests.Support;
using NUnit.Framework;

namespace Graphene.Tests.Codegen.Aot;

/// <summary>Native libraries, called in this process as C calls them: results are those of the reference evaluator.</summary>
[TestFixture]
internal sealed class NativeLibraryTests
{
    [OneTimeSetUp]
    public void NeedsTheProcessor() => Assume.That(Avx2.IsSupported && Fma.IsSupported, "these tests run code for x86-64-v3");

    private static IEnumerable<TestCaseData> Modules =>
    [
        Case("one multiplication", b => [b.Multiply(X(b, 0, 5), X(b, 1, 5))]),
        Case("a chain that needs temporaries", b =>
        {
            Node x = X(b, 0, 8, 8);
            for (int i = 0; i < 4; i++)
            {
                x = b.Dot(x, b.Constant(Optimizing.Random(F32(8, 8), i)));
            }
            return [x];
        }),
        Case("an input, a constant and twice the same as results", b =>
        {
            Node x = X(b, 0, 100);
            Node y = b.Negate(x);
            return [x, y, y, b.Constant(Optimizing.Random(F32(77), 4))];
        }),
        Case("no inputs", b => [b.Iota(new TensorType(DType.I32, Shape.Of(9)), 0)]),
        Case("a loop", b => Loop(b)),
        Case("softmax and layers", b =>
        {
            Node hidden = b.Maximum(
                b.Dot(X(b, 0, 3, 20), b.Constant(Optimizing.Random(F32(20, 33), 1))), b.Constant(Optimizing.Random(F32(3, 33), 3)));
            return [b.Softmax(b.Dot(hidden, b.Constant(Optimizing.Random(F32(33, 10), 2))), 1)];
        }),
    ];

    [TestCaseSource(nameof(Modules))]
    public void ResultsAreTheEvaluators(Module module)
    {
        foreach (bool hasExternalWeights in (bool[])[false, true])
        {
            CompiledLibrary library = LoadedNative.Compile(module, isFreestanding: true, hasExternalWeights: hasExternalWeights);
            Assert.That(library.UndefinedSymbols, Is.Empty);
            using var native = new LoadedNative(library);
            Literal[] inputs = [.. module.Entry.ParameterTypes.Select((t, i) => Optimizing.Random(t, i + 1))];
            (int error, Literal[] outputs) = native.Run(inputs, [.. module.Entry.Results.Select(r => r.Type)]);
            Assert.That(error, Is.Zero);
            Literal[] expected = Evaluator.Evaluate(module.Entry, inputs);
            for (int i = 0; i < expected.Length; i++)
            {
                LiteralAssert.AreClose(outputs[i], expected[i], 1e-5, 1e-6);
            }
        }
    }

    private static TestCaseData Case(string name, Func<GraphBuilder, Node[]> write) =>
        new TestCaseData(CompiledModule.Build(write)).SetArgDisplayNames(name);

    private static TensorType F32(params long[] shape) => new(DType.F32, Shape.Of(shape));

    private static Node X(GraphBuilder b, int number, params long[] shape) => b.Parameter(number, F32(shape));

    private static Node[] Loop(GraphBuilder b)
    {
        TensorType number = TensorType.Scalar(DType.I32);
        var c = new GraphBuilder();
        Computation condition = c.Build("condition", [c.Less(c.Parameter(0, number), Unused(c, c.Constant(DType.I32, 5)))]);
        var body = new GraphBuilder();
        Node count = body.Parameter(0, number);
        Node state = body.Parameter(1, F32(6));
        Computation round = body.Build("body", [body.Add(count, body.Constant(DType.I32, 1)), body.Add(state, state)]);
        return b.While([b.Constant(DType.I32, 0), X(b, 0, 6)], condition, round);

        static Node Unused(GraphBuilder builder, Node result)
        {
            builder.Parameter(1, F32(6));
            return result;
        }
    }
}
