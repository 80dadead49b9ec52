using System.Collections.Immutable;
using Graphene.Runtime;

namespace Graphene.Codegen.Aot;

/// <summary>How one variant of one signature is called: its plan, and where everything lies in the caller's workspace.</summary>
/// <remarks>
/// The workspace holds the table of buffers, eight bytes for each, and behind it, at a multiple of 64, the temporary buffers.
/// </remarks>
internal sealed class NativePlan
{
    /// <param name="variant">The variant.</param>
    /// <param name="plan">The plan, with buffers.</param>
    public NativePlan(AotVariant variant, ExecutablePlan plan)
    {
        Variant = variant;
        Plan = plan;
        Slots = plan.IsStatic ? null : ArenaSlots.Assign(plan.Buffers);
    }

    /// <summary>Whose code it is.</summary>
    public AotVariant Variant { get; }

    /// <summary>The plan.</summary>
    public ExecutablePlan Plan { get; }

    /// <summary>The places of temporary buffers when their sizes depend on symbols; null when the plan has them.</summary>
    public ArenaSlots? Slots { get; }

    /// <summary>Where the arena begins in the workspace.</summary>
    public long ArenaOffset => RoundedUp(8L * Plan.Buffers.Length);

    /// <summary>The bytes of the workspace when no size depends on a symbol.</summary>
    public long StaticWorkspaceBytes => ArenaOffset + RoundedUp(
        Plan.Buffers.Where(b => b.Kind == BufferKind.Temp).Select(b => b.Offset!.Value.Value + b.SizeInBytes.Value)
            .DefaultIfEmpty(0).Max());

    /// <summary>The outputs that are to be copied at the end, because their bytes lie elsewhere.</summary>
    public IEnumerable<(int Output, int Buffer, Dim SizeInBytes)> CopiedOutputs =>
        Plan.Outputs.Select((o, i) => (Output: i, o.Buffer, o.Type.SizeInBytes)).Where(c =>
            Plan.Buffers[c.Buffer] is var b && !(b.Kind == BufferKind.Result && b.Index == c.Output));

    /// <summary>Pairs of numbers for all buffers of a kind: the place in the table, and what <paramref name="second"/> says.</summary>
    public ImmutableArray<int> Pairs(BufferKind kind, Func<BufferSpec, long> second) =>
    [
        .. Plan.Buffers.Select((b, i) => (Buffer: b, Place: i)).Where(b => b.Buffer.Kind == kind)
            .SelectMany(b => (int[])[b.Place, checked((int)second(b.Buffer))]),
    ];

    /// <summary>A size rounded up to a multiple of 64.</summary>
    public static long RoundedUp(long bytes) => checked(bytes + 63) & ~63L;
}
