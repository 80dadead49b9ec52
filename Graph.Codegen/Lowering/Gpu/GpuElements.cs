namespace Graphene.Codegen;

/// <summary>Counters of several dimensions from one number, as loops around them would count.</summary>
internal static class GpuElements
{
    /// <summary>Threads of the tasks that compute elements one by one.</summary>
    public const int Threads = 256;

    /// <summary>Binds counters to the digits of a number, the last one fastest.</summary>
    /// <param name="emitter">Where they are bound.</param>
    /// <param name="counters">The counters.</param>
    /// <param name="number">The number, less than the product of their extents.</param>
    public static void Bind(ExprEmitter emitter, IReadOnlyList<IndexVariable> counters, KExpr number)
    {
        KBuilder b = emitter.Builder;
        int first = 0;
        while (first < counters.Count - 1 && counters[first].Extent == 1)
        {
            emitter.Bind(counters[first++], 0);
        }
        for (int i = counters.Count - 1; i >= first; i--)
        {
            KExpr extent = KBuilder.Value(counters[i].Extent);
            emitter.Bind(counters[i], i == first ? number : b.Let("i", KBuilder.Remainder(number, extent)));
            number = i == first ? number : b.Let("rest", KBuilder.Divide(number, extent));
        }
    }

    /// <summary>A kernel whose threads compute one element each, numbered over some dimensions.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="source">The operands and results.</param>
    /// <param name="extents">The dimensions.</param>
    /// <param name="element">Emits one element.</param>
    public static LoweredKernel Kernel(string name, OperandSource source, IReadOnlyList<Dim> extents, Action<IndexVariable[]> element)
    {
        var task = new KVariable("task", KType.Index);
        var thread = new KVariable("thread", KType.Index);
        KExpr count = KBuilder.Value(extents.Aggregate((Dim)1, (n, e) => n * e));
        IndexVariable[] at = [.. extents.Select((e, i) => source.F.Variable($"i{i}", e))];
        KExpr number = source.B.Let("number", KBuilder.Add(KBuilder.Multiply(task, Threads), thread));
        source.B.If(KBuilder.Less(number, count), () => source.Emitter.InScope(() =>
        {
            Bind(source.Emitter, at, number);
            element(at);
        }));
        return source.ToKernel(name, task, KBuilder.CeilDiv(count, Threads), new KThreads(thread, Threads));
    }
}
