using Graphene.Optimizer;
using Graphene.Runtime;

namespace Graphene.Codegen;

/// <summary>The constants that the code really reads: those of the plan that some step uses, and those that lowering made.</summary>
/// <param name="plan">The memory plan.</param>
internal sealed class ConstantPool(MemoryPlan plan)
{
    private readonly List<KernelConstant> _added = [];
    private readonly Dictionary<KernelConstant, int> _numbers = [];
    private readonly HashSet<int> _used = [.. plan.Entry.Results];

    /// <summary>The number, behind the plan's buffers, of a constant made by lowering; equal constants are one.</summary>
    public int Add(KernelConstant constant)
    {
        if (!_numbers.TryGetValue(constant, out int number))
        {
            number = _added.Count;
            _numbers.Add(constant, number);
            _added.Add(constant);
        }
        return number;
    }

    /// <summary>Notes that a buffer of the plan is used.</summary>
    public void Use(int buffer) => _used.Add(buffer);

    /// <summary>The table of buffers with all constants placed.</summary>
    /// <param name="add">Given the size of a constant and what writes it, says at which offset it will be.</param>
    public List<BufferSpec> Place(Func<long, Action<Span<byte>>, long> add)
    {
        Optimizer.ArenaLayout? layout = plan.Symbols.IsEmpty ? plan.Pack(_ => 0) : null;
        var specs = new List<BufferSpec>();
        foreach (PlannedBuffer buffer in plan.Buffers.Where(b => b.Kind != Optimizer.BufferKind.Part))
        {
            specs.Add(buffer.Kind switch
            {
                Optimizer.BufferKind.Parameter => BufferSpec.Parameter(buffer.Number, buffer.SizeInBytes),
                Optimizer.BufferKind.Result => BufferSpec.Result(buffer.Number, buffer.SizeInBytes),
                Optimizer.BufferKind.Constant when _used.Contains(buffer.Index) =>
                    BufferSpec.Constant(add(buffer.Constant!.SizeInBytes, buffer.Constant.CopyTo), buffer.Constant.SizeInBytes),
                Optimizer.BufferKind.Constant => BufferSpec.Constant(0, 0),
                _ => BufferSpec.Temp(buffer.SizeInBytes, buffer.Live.First, buffer.Live.Last, layout?.Offsets[buffer.Index]),
            });
        }
        foreach (KernelConstant constant in _added)
        {
            specs.Add(BufferSpec.Constant(add(constant.SizeInBytes, constant.WriteTo), constant.SizeInBytes));
        }
        return specs;
    }
}
