namespace Graphene.Codegen;

/// <summary>
/// Lowers random bits that nothing was fused with: a thread computes a block of the generator and writes
/// all of its words.
/// </summary>
/// <remarks>
/// <code>
/// thread = block n:  words = philox(key, counter + n);  elements 4 n .. 4 n + 3 (2 n, 2 n + 1 of 64 bits) = words
/// thread 0 writes the next state, too
/// </code>
/// About 90 integer instructions for 16 bytes: at 64 to 128 of them a cycle and multiprocessor near the speed of memory. In fusions every
/// element computes its block: four times that, beside what is computed of the bits.
/// </remarks>
internal static class GpuRandomLowering
{
    private const int Threads = 256;

    /// <summary>The kernel of a generator node.</summary>
    public static LoweredKernel Lower(string name, Node node)
    {
        var op = (RngBitGeneratorOp)node.Op;
        Dim elements = op.Type.Shape.ElementCount;
        int perBlock = op.Type.DType.SizeInBits() == 64 ? 2 : 4;
        // Bits lie in the order of positions, whatever the shape.
        Node fusion = ElementFusion.Of(
            name, new GraphBuilder().Add(op with { Type = new TensorType(op.Type.DType, [elements]) }, node.Operands));
        var source = new FusionSource(fusion, new KernelArguments(), _ => false);
        var b = new KBuilder();
        var emitter = new ExprEmitter(b, new ExprAnalysis(), source.Source);
        // One block at least: the state is written where no bits are asked for, too.
        IndexVariable block = source.Factory.Variable("block", Dim.Max(Dim.CeilDiv(elements, perBlock), 1));
        var task = new KVariable("task", KType.Index);
        var thread = new KVariable("thread", KType.Index);
        KExpr number = b.Let("number", KBuilder.Add(KBuilder.Multiply(task, Threads), thread));
        KExpr count = KBuilder.Value(block.Extent);
        emitter.Bind(block, number);
        b.If(KBuilder.Less(number, 2), () => emitter.InScope(() => b.Store(source.Outputs[0], number, EmitState(source, emitter, number))));
        b.If(KBuilder.Less(number, count), () => emitter.InScope(() =>
        {
            ScalarExpr first = source.Factory.Multiply(block, source.Factory.Index(perBlock));
            KExpr[] bits = [.. Enumerable.Range(0, perBlock).Select(i => emitter.Emit(
                source.Element(source.Body.Results[1], IndexVector.From([source.Factory.Add(first, source.Factory.Index(i))]))))];
            EmitStores(b, source.Outputs[1], emitter.Emit(first), bits, KBuilder.Value(elements));
        }));
        var kernel = new Kernel(
            name, source.Arguments.Buffers, task, KBuilder.CeilDiv(count, Threads), b.ToBlock(), new KernelCost(0, op.Type.SizeInBytes))
        {
            Threads = new KThreads(thread, Threads),
        };
        return new LoweredKernel(kernel, source.Arguments.Operands).With(fusion, node);
    }

    private static KExpr EmitState(FusionSource source, ExprEmitter emitter, KExpr number)
    {
        IndexVariable word = source.Factory.Variable("word", 2);
        emitter.Bind(word, number);
        return emitter.Emit(source.Element(source.Body.Results[0], IndexVector.From([word])));
    }

    private static void EmitStores(KBuilder b, KBuffer output, KExpr first, KExpr[] bits, KExpr count) => b.If(
        KBuilder.Call(ScalarOp.LessOrEqual, KBuilder.Add(first, bits.Length), count),
        () =>
        {
            KExpr low = new KJoin(bits[0], bits[1]);
            KExpr all = bits.Length == 2 ? low : new KJoin(low, new KJoin(bits[2], bits[3]));
            b.Add(new KStore(output, first, all, Alignment: bits.Length));
        },
        () =>
        {
            for (int i = 0; i < bits.Length; i++)
            {
                KExpr place = KBuilder.Add(first, i);
                int number = i;
                b.If(KBuilder.Less(place, count), () => b.Store(output, place, bits[number]));
            }
        });
}
