using System.Collections.Immutable;

namespace Graphene.Runtime;

/// <summary>One run with values by name: finds them, checks them, makes memory for the results.</summary>
internal static unsafe class FedRun
{
    /// <summary>Runs once.</summary>
    /// <exception cref="GraphException">GR6201, GR6205: values are missing or do not fit.</exception>
    public static Literal[] Run(GraphProgram program, IReadOnlyDictionary<string, Feed> feeds, in RunSettings settings)
    {
        ImmutableArray<InputSpec> inputs = program.Inputs;
        using var memory = new CallMemory(inputs.Length, program.Outputs.Length);
        long[] extents = new long[program.Binder.ExtentCount];
        for (int i = 0; i < inputs.Length; i++)
        {
            Span<long> shape = extents.AsSpan(program.Binder.Start(i), inputs[i].Type.Rank);
            if (feeds.TryGetValue(inputs[i].Name, out Feed? feed))
            {
                Describe(inputs[i], feed, shape);
                memory.SetInput(i, feed.Bytes);
            }
            else
            {
                memory.SetInput(i, DefaultOf(program, i, shape));
            }
        }
        ShapeBinding binding = program.Bind(extents);
        byte[][] results = new byte[program.Outputs.Length][];
        for (int i = 0; i < results.Length; i++)
        {
            results[i] = Allocate(program.Outputs[i], binding.OutputBytes[i]);
            memory.SetOutput(i, results[i]);
        }
        memory.Run(program, binding, settings);
        return [.. results.Select((bytes, i) => ToLiteral(program.Outputs[i], binding.OutputShapes[i], bytes))];
    }

    private static void Describe(InputSpec input, Feed feed, Span<long> shape)
    {
        InputShapes.RequireType("input", input.Name, input.Type, feed.DType);
        if (feed.HasShape)
        {
            InputShapes.Copy(input, feed.Shape, shape);
        }
        else
        {
            InputShapes.Infer(input, feed.Bytes.Length / feed.DType.SizeInBytes(), shape);
        }
    }

    private static void* DefaultOf(GraphProgram program, int number, Span<long> shape)
    {
        InputSpec input = program.Inputs[number];
        void* value = program.DefaultOf(number);
        if (value is null)
        {
            throw new GraphException(
                RuntimeDiagnostics.BadFeed, $"input '{input.Name}' is missing: nothing was fed to it",
                why: $"what is fetched from '{program.Name}' needs it, and it has no default",
                fix: $"feed a tensor of type {input.Type}");
        }
        InputShapes.Copy(input, input.Type.Shape.ToStatic(), shape);
        return value;
    }

    private static byte[] Allocate(OutputSpec output, long bytes) => bytes <= Array.MaxLength
        ? GC.AllocateUninitializedArray<byte>((int)bytes)
        : throw new GraphException(
            RuntimeDiagnostics.ShapeMismatch, $"output '{output.Name}' has {bytes} bytes, more than an array can hold",
            fix: "use MakeCallable and Bind, whose memory is not managed");

    private static Literal ToLiteral(OutputSpec output, long[] shape, byte[] bytes) =>
        new(new TensorType(output.Type.DType, Shape.Of(shape)), bytes);
}
