using Graphene.Codegen;
using Graphene.Optimizer;
using Graphene.Tests.Support;
using NUnit.Framework;

namespace Graphene.Tests.Codegen.Gpu;

/// <summary>A graph as one fusion, lowered for a GPU and run by the interpreter.</summary>
internal sealed class LoopsGraph
{
    private readonly Func<GraphBuilder, Node[], Node[]> _write;
    private readonly Node _fusion;

    public LoopsGraph(IReadOnlyList<TensorType> parameters, Func<GraphBuilder, Node[], Node[]> write)
    {
        _write = write;
        Module module = Build(parameters, write);
        Module optimized = GraphOptimizer.Run(module, GpuTarget.Adapt(OptimizerOptions.Default));
        Node[] steps = [.. optimized.Entry.PostOrder().Where(n => n.Op is not (ParameterOp or ConstantOp or GetTupleElementOp))];
        _fusion = steps is [{ Op: FusionOp }] ? steps[0] : AsOne(module.Entry);
    }

    // What the optimizer would keep apart.
    private static Node AsOne(Computation entry)
    {
        var b = new GraphBuilder();
        bool reduces = entry.PostOrder().Any(n => n.Op is ReduceOp);
        return b.Add(
            new FusionOp(reduces ? FusionKind.Reduction : FusionKind.Loop, entry),
            [.. entry.Parameters.Select((p, i) => b.Parameter(i, p.Type))]);
    }

    /// <summary>The buffer that a parameter of the graph is in a kernel.</summary>
    public KBuffer BufferOf(LoweredKernel kernel, int parameter)
    {
        int operand = Enumerable.Range(0, _fusion.Operands.Length).First(o => Number(o) == parameter);
        return kernel.Kernel.Arguments[kernel.Operands.ToList().FindIndex(
            o => o is KernelOperand.Value value && ReferenceEquals(value.Node, _fusion.Operands[operand]))];
    }

    /// <summary>Values of any type: normally distributed ones, and integers around 0.</summary>
    public static Literal Values(DType type, int seed, params long[] shape)
    {
        if (type.IsFloating())
        {
            return Evaluation.Noise(shape, seed, type);
        }
        var random = new Random(seed);
        bool isSigned = type is DType.I8 or DType.I16 or DType.I32 or DType.I64;
        return Literal.Generate(new TensorType(type, Shape.Of(shape)), _ => type == DType.Bool
            ? Scalar.FromBool(random.Next(2) == 1)
            : Scalar.FromInteger(type, random.Next(isSigned ? -100 : 0, 100)));
    }

    /// <summary>The kernels.</summary>
    /// <param name="overwritten">Operands whose memory the first result takes.</param>
    public IReadOnlyList<LoweredKernel> Lower(params int[] overwritten) =>
        NodeLowering.Lower("test", _fusion, KernelTarget.Of(new GpuTarget(90, true)), o => overwritten.Contains(Number(o)));

    /// <summary>
    /// Runs the kernels for a GPU, and compares with the reference and, where the order is one, with
    /// the processor's kernels.
    /// </summary>
    /// <param name="inputs">A value for each parameter, of static shape.</param>
    /// <param name="tolerance">How far results may be from the reference.</param>
    /// <param name="isSameOrder">Whether the bits must be the processor's.</param>
    /// <param name="overwritten">Parameters whose memory the first result takes.</param>
    public IReadOnlyList<LoweredKernel> Check(
        IReadOnlyList<Literal> inputs, double tolerance = 1e-5, bool isSameOrder = true, params int[] overwritten)
    {
        Literal[] expected = Evaluator.Evaluate(Build([.. inputs.Select(i => i.Type)], _write).Entry, inputs);
        IReadOnlyList<LoweredKernel> kernels = Lower(overwritten);
        Literal[] actual = Run(kernels, inputs, expected, overwritten);
        for (int i = 0; i < expected.Length; i++)
        {
            LiteralAssert.AreClose(actual[i], expected[i], tolerance, tolerance, $"result {i}");
        }
        if (isSameOrder)
        {
            IReadOnlyList<LoweredKernel> onProcessor = NodeLowering.Lower(
                "test", _fusion, new KernelTarget(256, 16, CacheSizes.Typical), o => overwritten.Contains(Number(o)));
            Literal[] same = Run(onProcessor, inputs, expected, overwritten);
            for (int i = 0; i < expected.Length; i++)
            {
                LiteralAssert.AreEqual(actual[i], same[i], $"result {i} beside the processor's");
            }
        }
        return kernels;
    }

    /// <summary>Runs the kernels for a GPU.</summary>
    public Literal[] Run(IReadOnlyList<Literal> inputs) =>
        Run(Lower(), inputs, Evaluator.Evaluate(Build([.. inputs.Select(i => i.Type)], _write).Entry, inputs), []);

    private int Number(int operand) => _fusion.Operands[operand].Op is ParameterOp p ? p.Number : -1;

    private static Module Build(IReadOnlyList<TensorType> parameters, Func<GraphBuilder, Node[], Node[]> write) =>
        CompiledModule.Build(b => write(b, [.. parameters.Select((t, i) => b.Parameter(i, t))]));

    private Literal[] Run(IReadOnlyList<LoweredKernel> kernels, IReadOnlyList<Literal> inputs, Literal[] expected, int[] overwritten)
    {
        byte[][] operands = [.. _fusion.Operands.Select(o =>
            o.Op is ConstantOp constant ? constant.Value.Bytes.ToArray() : inputs[((ParameterOp)o.Op).Number].Bytes.ToArray())];
        byte[][] results = [.. expected.Select(e => new byte[e.SizeInBytes])];
        foreach (int number in overwritten)
        {
            results[0] = operands[Enumerable.Range(0, operands.Length).First(o => Number(o) == number)];
        }
        foreach (byte[] result in results.Where(r => !operands.Contains(r)))
        {
            Array.Fill(result, (byte)0x5A);
        }
        long bytes = kernels.SelectMany(k => k.Operands).OfType<KernelOperand.Workspace>().Select(w => w.SizeInBytes.Evaluate(SizeOf))
            .DefaultIfEmpty(0).Max();
        var workspace = new byte[bytes];
        foreach (LoweredKernel kernel in kernels)
        {
            Memory<byte>[] memories = [.. kernel.Operands.Select(Contents)];
            new KernelInterpreter(kernel.Kernel, memories, SizeOf).Run();
        }
        return [.. expected.Select((e, i) => new Literal(e.Type, results[i]))];

        Memory<byte> Contents(KernelOperand operand) => operand switch
        {
            KernelOperand.Constant constant => Written(constant.Content),
            KernelOperand.Workspace => workspace,
            KernelOperand.Value value when ReferenceEquals(value.Node, _fusion) => results[value.Result],
            KernelOperand.Value value => operands[_fusion.Operands.IndexOf(value.Node)],
            _ => throw new ArgumentException($"unknown operand {operand}", nameof(operand)),
        };

        long SizeOf(DimSymbol symbol)
        {
            foreach (Node operand in _fusion.Operands.Where(o => o.Op is ParameterOp))
            {
                Shape given = inputs[((ParameterOp)operand.Op).Number].Shape;
                for (int axis = 0; axis < given.Rank; axis++)
                {
                    if (operand.Shape[axis].AsSymbol == symbol)
                    {
                        return given[axis].Value;
                    }
                }
            }
            throw new ArgumentException($"nothing says what {symbol} is", nameof(symbol));
        }
    }

    private static byte[] Written(KernelConstant constant)
    {
        var bytes = new byte[constant.SizeInBytes];
        constant.WriteTo(bytes);
        return bytes;
    }
}
