using System.Collections.Immutable;

namespace Graphene;

/// <summary>What the C# code of a function built for arguments of some types.</summary>
/// <param name="Types">The arguments' types; their sizes may be symbolic.</param>
/// <param name="Body">Takes the arguments and what was captured; returns the results and the assigned variables' values.</param>
/// <param name="Captured">What it uses from the graph.</param>
/// <param name="Assigned">The variables that it assigns.</param>
internal sealed record FunctionTrace(
    TensorType[] Types, Computation Body, ImmutableArray<FrameInput> Captured, ImmutableArray<Variable> Assigned)
{
    /// <summary>The number of the function's results.</summary>
    public int ResultCount => Body.Results.Length - Assigned.Length;

    /// <summary>The part of the graph that a session runs; made when it is needed first.</summary>
    public FunctionEntry? Entry { get; set; }

    /// <summary>Whether it was made for exactly some types.</summary>
    public bool IsFor(TensorType[] types) => Types.AsSpan().SequenceEqual(types);

    /// <summary>The values of its symbolic sizes for arguments of some types; null when they do not fit.</summary>
    public Sizes? TryFit(TensorType[] types) => Fit(Types, types) is { } values ? new Sizes(values) : null;

    /// <summary>The values of the symbols in declared types that give actual types; null when there are none.</summary>
    public static Dictionary<DimSymbol, Dim>? Fit(TensorType[] declared, TensorType[] actual)
    {
        if (declared.Length != actual.Length)
        {
            return null;
        }
        var values = new Dictionary<DimSymbol, Dim>();
        for (int i = 0; i < declared.Length; i++)
        {
            if (declared[i].DType != actual[i].DType || declared[i].Rank != actual[i].Rank)
            {
                return null;
            }
            for (int axis = 0; axis < declared[i].Rank; axis++)
            {
                if (declared[i].Shape[axis].AsSymbol is { } symbol && !TryBind(values, symbol, actual[i].Shape[axis]))
                {
                    return null;
                }
            }
        }
        // Numbers and expressions must agree once the symbols have values.
        for (int i = 0; i < declared.Length; i++)
        {
            for (int axis = 0; axis < declared[i].Rank; axis++)
            {
                if (declared[i].Shape[axis].Substitute(values) != actual[i].Shape[axis])
                {
                    return null;
                }
            }
        }
        return values;
    }

    private static bool TryBind(Dictionary<DimSymbol, Dim> values, DimSymbol symbol, Dim value)
    {
        if (value.Range.Min < symbol.Min || value.Range.Max > symbol.Max)
        {
            return false;
        }
        return values.TryAdd(symbol, value) || values[symbol] == value;
    }

    /// <summary>The values of a trace's symbolic sizes in a call.</summary>
    internal sealed record Sizes(IReadOnlyDictionary<DimSymbol, Dim> Values)
    {
        /// <summary>Those of a call whose types are the trace's.</summary>
        public static Sizes None { get; } = new(new Dictionary<DimSymbol, Dim>());
    }
}
