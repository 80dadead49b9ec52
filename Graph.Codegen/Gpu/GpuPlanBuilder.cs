using System.Collections.Immutable;
using Graphene.Runtime;

namespace Graphene.Codegen;

/// <summary>
/// Turns the steps of a computation into those of a plan for a GPU: every number of them becomes a dim,
/// which runs evaluate.
/// </summary>
/// <param name="library">The kernels.</param>
internal sealed class GpuPlanBuilder(GpuKernelLibrary library)
{
    private int _calls;

    /// <summary>The steps of a plan; to be asked once, for the entry.</summary>
    public ImmutableArray<GpuStep> Build(IReadOnlyList<EntryStep> steps) => [.. steps.Select(Build)];

    /// <summary>A number of tasks as a dim. Nothing in it is ever negative, so that rounding down is what dividing does.</summary>
    public static Dim DimOf(KExpr e)
    {
        switch (e)
        {
            case KConstant constant:
                return (long)constant.Value.AsInteger;
            case KSymbol symbol:
                return symbol.Symbol;
            case KCall { Arguments: [var left, var right] } call:
                (Dim a, Dim b) = (DimOf(left), DimOf(right));
                return call.Op switch
                {
                    ScalarOp.Add => a + b,
                    ScalarOp.Subtract => a - b,
                    ScalarOp.Multiply => a * b,
                    ScalarOp.Divide => Dim.FloorDiv(a, b),
                    ScalarOp.Remainder => Dim.Mod(a, b),
                    ScalarOp.Maximum => Dim.Max(a, b),
                    ScalarOp.Minimum => Dim.Min(a, b),
                    _ => throw new CompilerBugException("GPU plan", $"{call.Op} in a number of tasks"),
                };
            default:
                throw new CompilerBugException("GPU plan", $"{e} in a number of tasks");
        }
    }

    private GpuStep Build(EntryStep step)
    {
        switch (step)
        {
            case EntryStep.Call call:
                return Launch(call, _calls++);
            case EntryStep.Batch batch:
                GpuStep.Launch[] starts = [.. Starts(batch.Members, _calls++)];
                return starts is [var one] ? one : new GpuStep.SideBySide([.. starts]);
            case EntryStep.Copy copy:
                return new GpuStep.Copy(Whole(copy.From), Whole(copy.To), copy.SizeInBytes);
            case EntryStep.Loop loop:
                ImmutableArray<GpuStep> condition = Build(loop.Condition);
                return new GpuStep.Loop(condition, Whole(loop.Predicate), Build(loop.Body));
            case EntryStep.Branch branch:
                return new GpuStep.Branch(
                    Whole(branch.Selector), branch.SelectorType == DType.Bool, [.. branch.Branches.Select(b => new GpuBranch(Build(b)))]);
            case EntryStep.HostCall call:
                return new GpuStep.HostCall((int)call.Id, [.. call.Arguments.Select(a => GpuArgument.Of(Whole(a)))]);
            default:
                throw new CompilerBugException("GPU plan", $"unknown step {step}");
        }
    }

    private GpuStep.Launch Launch(EntryStep.Call call, int number) =>
        new(library.NumberOf(call.Symbol), DimOf(call.TaskCount), [.. Arguments(call)], number)
        {
            Maps = [.. call.Maps.Select(m => Map(m, Whole(call.Arguments[m.Source.Argument])))],
        };

    // Calls of a kernel whose starts do several are joined, as many as one start does.
    private IEnumerable<GpuStep.Launch> Starts(IReadOnlyList<EntryStep.Call> calls, int number) =>
        from same in calls.GroupBy(c => c.Symbol)
        let members = library.MembersOf(same.Key)
        from some in same.Chunk(members)
        select members == 1 ? Launch(some[0], number) : Joined(same.Key, some, members, number);

    // first task of each call; arguments of each call. A call that is not there begins behind the last task.
    private GpuStep.Launch Joined(string symbol, EntryStep.Call[] calls, int members, int number)
    {
        GpuArgument[][] arguments = [.. calls.Select(Arguments)];
        var firsts = new List<GpuArgument>();
        Dim tasks = 0;
        foreach (EntryStep.Call call in calls)
        {
            firsts.Add(GpuArgument.Of(tasks));
            tasks += DimOf(call.TaskCount);
        }
        int missing = members - calls.Length;
        firsts.AddRange(Enumerable.Repeat(GpuArgument.Of(tasks), missing));
        return new GpuStep.Launch(
            library.NumberOf(symbol), tasks,
            [.. firsts, .. arguments.SelectMany(a => a), .. Enumerable.Repeat(GpuArgument.Of(-1), missing * arguments[0].Length)], number);
    }

    private static GpuArgument[] Arguments(EntryStep.Call call) =>
    [
        .. call.Arguments.Select(a => GpuArgument.Of(a == BufferRef.None ? -1 : Whole(a))), .. call.Sizes.Select(GpuArgument.Of),
    ];

    /// <summary>A kernel's tensor map as plans have it.</summary>
    public static GpuTensorMap Map(KTensorMap map, int buffer)
    {
        int size = map.Source.Element.SizeInBytes();
        return new GpuTensorMap(buffer, map.Source.Element)
        {
            OffsetInBytes = DimOf(map.Offset) * size,
            Sizes = [.. map.Sizes.Select(DimOf)],
            StridesInBytes = [.. map.Strides.Select(s => DimOf(s) * size)],
            Box = [.. map.Box],
            IsSwizzled = map.IsSwizzled,
            RoundsToTensorFloat32 = map.RoundsToTensorFloat32,
        };
    }

    private static int Whole(BufferRef reference) => reference.OffsetInBytes == 0
        ? reference.Buffer
        : throw new CompilerBugException("GPU plan", $"part of buffer {reference.Buffer}");
}
