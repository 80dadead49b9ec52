using Graphene.Runtime;

namespace Graphene.Codegen;

/// <summary>Measures kernels on a device, by marks in its stream: the median of some runs behind one that warms up.</summary>
/// <remarks>
/// Operands hold one small number everywhere, so that nothing overflows; a GPU multiplies all numbers equally
/// fast, but takes less power for equal ones, so that what is limited by power may be a little faster here than
/// with a model's values.
/// </remarks>
/// <param name="device">The device.</param>
/// <param name="target">What kernels are for.</param>
/// <param name="runs">How many runs are measured.</param>
internal sealed class DeviceProductTimer(GpuDevice device, GpuTarget target, int runs) : IProductTimer
{
    private const byte SmallNumber = 0x3C; // f16 1.06, bf16 and f32 0.0115, bytes 60

    /// <inheritdoc/>
    public double Microseconds(IReadOnlyList<LoweredKernel> kernels, ProductPlan plan, Func<DimSymbol, long> sizes)
    {
        using IGpuCodeWriter code = device.CodeForm == GpuCodeForm.Ptx
            ? new PtxWriter(target, 1, CancellationToken.None)
            : new KernelTextWriter();
        var library = new GpuKernelLibrary(code);
        KernelReference[] references = [.. kernels.Select(k => library.Add(k.Kernel, 1))];
        ObjectCode[] objects = [.. code.Finish()];
        var loaded = new List<IDisposable>();
        try
        {
            foreach (ObjectCode one in objects)
            {
                loaded.Add(device.LoadCode(one.Name, one.Bytes));
            }
            GpuStream stream = device.CreateStream();
            loaded.Add(stream);
            var memory = new Dictionary<KernelOperand, GpuMemory>();
            foreach (KernelOperand operand in kernels.SelectMany(k => k.Operands).Distinct())
            {
                GpuMemory block = GpuMemoryReport.Allocate(device, BytesOf(operand, sizes), "a product that is measured");
                loaded.Add(block);
                memory.Add(operand, block);
                if (block.Length > 0)
                {
                    stream.Fill(block.Address, SmallNumber, block.Length);
                }
            }
            Start[] starts =
            [
                .. kernels.Zip(references, (kernel, reference) => StartOf(
                    kernel, reference, library.Kernels[library.NumberOf(reference.Symbol)], (GpuCode)loaded[0], memory, sizes)),
            ];
            return Measure(stream, starts);
        }
        finally
        {
            for (int i = loaded.Count - 1; i >= 0; i--)
            {
                loaded[i].Dispose();
            }
        }
    }

    private double Measure(GpuStream stream, Start[] starts)
    {
        using GpuEvent begin = device.CreateEvent(hasTime: true), end = device.CreateEvent(hasTime: true);
        double[] times = new double[runs + 1];
        for (int run = 0; run <= runs; run++)
        {
            stream.Record(begin);
            foreach (Start start in starts.Where(s => s.Tasks > 0))
            {
                stream.Launch(start.Function, start.Tasks, start.Arguments, start.Extents, start.Maps);
            }
            stream.Record(end);
            stream.Synchronize();
            times[run] = end.MillisecondsSince(begin) * 1000;
        }
        Array.Sort(times, 1, runs);
        return times[1 + (runs / 2)];
    }

    private Start StartOf(
        LoweredKernel lowered, KernelReference reference, GpuKernel kernel, GpuCode code, Dictionary<KernelOperand, GpuMemory> memory,
        Func<DimSymbol, long> sizes)
    {
        long[] arguments =
        [
            .. lowered.Operands.Select(o => (long)memory[o].Address), .. lowered.Sizes.Select(s => s.Evaluate(sizes)),
            .. reference.RunSymbols.Select(sizes),
        ];
        long[] extents = new long[device.ChecksAccesses ? arguments.Length : 0];
        for (int i = 0; i < lowered.Operands.Count && extents.Length > 0; i++)
        {
            extents[i] = memory[lowered.Operands[i]].Length;
        }
        long tasks = ValueOf(GpuPlanBuilder.DimOf(lowered.Kernel.TaskCount));
        BoundMap[] maps =
        [
            .. lowered.Kernel.Maps.Select(m =>
                Bind(GpuPlanBuilder.Map(m, m.Source.Argument), memory[lowered.Operands[m.Source.Argument]])),
        ];
        return new Start(code.Function(kernel), tasks, arguments, extents, maps);

        long ValueOf(Dim dim) => dim.Evaluate(
            s => lowered.Kernel.Sizes.ToList().IndexOf(s) is >= 0 and var i ? lowered.Sizes[i].Evaluate(sizes) : sizes(s));

        BoundMap Bind(GpuTensorMap map, GpuMemory block)
        {
            long offset = ValueOf(map.OffsetInBytes);
            return new BoundMap(
                map, block.Address + (nint)offset, [.. map.Sizes.Select(ValueOf)], [.. map.StridesInBytes.Select(ValueOf)],
                block.Length - offset);
        }
    }

    private static long BytesOf(KernelOperand operand, Func<DimSymbol, long> sizes) => operand switch
    {
        KernelOperand.Value value => value.Node.Types[value.Result].SizeInBytes.Evaluate(sizes),
        KernelOperand.Constant constant => constant.Content.SizeInBytes,
        KernelOperand.Workspace workspace => workspace.SizeInBytes.Evaluate(sizes),
        _ => throw new CompilerBugException("tuning", $"unknown operand {operand}"),
    };

    private sealed record Start(GpuFunction Function, long Tasks, long[] Arguments, long[] Extents, BoundMap[] Maps);
}
