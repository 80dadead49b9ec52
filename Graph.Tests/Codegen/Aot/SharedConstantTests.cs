using Graphene.Codegen.Aot;
using Graphene.Codegen.Llvm;
using Graphene.Runtime;
using Graphene.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using NUnit.Framework;

namespace Graphene.Tests.Codegen.Aot;

/// <summary>Variants of one artifact store their weights once, and compute with them what each would alone.</summary>
internal sealed class SharedConstantTests
{
    private const long Any = 19;

    // The reference takes a number where the compiler takes a symbol.
    private static readonly (string Name, Func<GraphBuilder, Dim, Node[]> Write)[] Networks =
    [
        ("one row", (b, _) => Product(b, 1, 96, 200)),
        ("three rows", (b, _) => Product(b, 3, 65, 37)),
        ("many rows", (b, _) => Product(b, 50, 128, 100)),
        ("narrow", (b, _) => Product(b, 20, 33, 7)),
        ("f64", (b, _) => Product(b, 9, 40, 50, DType.F64)),
        ("bytes", (b, _) => Product(b, 9, 40, 50, DType.I8)),
        ("bytes of one row", (b, _) => Product(b, 1, 40, 130, DType.U8)),
        ("rows of any number", (b, rows) => Product(b, rows, 65, 90)),
        ("convolution", (b, _) => Convolution(b, 3, 21)),
        ("convolution of many features", (b, _) => Convolution(b, 32, 48)),
    ];

    private static IEnumerable<string> Names => Networks.Select(n => n.Name);

    [TestCaseSource(nameof(Names))]
    public void EveryVariantReadsTheSameBytes(string name)
    {
        Func<GraphBuilder, Dim, Node[]> write = Networks.First(n => n.Name == name).Write;
        Module module = CompiledModule.Build(b => write(b, new DimSymbol("rows", 1, 64)));
        Computation known = CompiledModule.Build(b => write(b, Any)).Entry;
        Literal[] inputs = [.. known.ParameterTypes.Select((type, i) => Values(type, i + 1))];
        Literal[] expected = Evaluator.Evaluate(known, inputs);
        foreach (AotTarget target in (AotTarget[])[AotTarget.Parse("x86-64"), AotTarget.Parse("riscv64-all")])
        {
            byte[]? first = null;
            for (int i = 0; i < target.Variants.Length; i++)
            {
                Executable executable = target.Compilers()[i].Compile(module, NullLogger.Instance, default);
                byte[] constants = executable.Constants.Bytes(0, (int)executable.Constants.Length).ToArray();
                first ??= constants;
                Assert.That(constants, Is.EqualTo(first), $"{name}, {target.Variants[i].Name}");
                AssertRuns(executable, target.Variants[i], inputs, expected);
            }
        }
    }

    // Takes the executable.
    private static void AssertRuns(Executable executable, AotVariant variant, Literal[] inputs, Literal[] expected)
    {
        bool runs = variant.Machine.Architecture == LlvmTarget.Host().Architecture
            && HostProcessor.MissingFeatures(variant.RequiredFeatures).Count == 0;
        if (!runs)
        {
            executable.Dispose();
            return;
        }
        using NativeProgram program = NativeProgram.Load(executable);
        Literal[] actual = program.Run(program.Inputs.Zip(inputs).ToDictionary(p => p.First.Name, p => (Feed)p.Second));
        for (int i = 0; i < expected.Length; i++)
        {
            LiteralAssert.AreClose(actual[i], expected[i], 1e-4, 1e-4, variant.Name);
        }
    }

    private static Node[] Product(GraphBuilder b, Dim rows, long depth, long columns, DType type = DType.F32)
    {
        DType sum = type.IsInteger() ? DType.I32 : type;
        Node x = b.Parameter(0, new TensorType(type, [rows, depth]));
        return [b.DotGeneral(x, b.Constant(Values(new TensorType(type, Shape.Of(depth, columns)), 7)), [], [], [1], [0], sum)];
    }

    private static Literal Values(TensorType type, int seed)
    {
        var random = new Random(seed);
        return Literal.Generate(type, _ => Scalar.FromNumber(
            type.DType, type.DType.IsFloating() ? random.NextDouble() - 0.5 : random.Next(type.DType == DType.U8 ? 0 : -128, 127)));
    }

    // Few features go by positions, many by features.
    private static Node[] Convolution(GraphBuilder b, long inputs, long outputs)
    {
        Node x = b.Parameter(0, new TensorType(DType.F32, Shape.Of(2, inputs, 13, 11)));
        Node weights = b.Constant(Values(new TensorType(DType.F32, Shape.Of(outputs, inputs, 3, 3)), 8));
        return [b.Convolution(x, weights, ConvolutionDimensions.ChannelsFirst(2), [new(3, Low: 1, High: 1), new(3, Stride: 2)])];
    }
}
