using System.Collections.Frozen;

namespace Graphene.Interop.Onnx.Exporting;

/// <summary>How each op is written in ONNX's operators: one row per op.</summary>
internal static class ExportTable
{
    private static readonly FrozenDictionary<string, Action<ExportSite>> Rows = Elementwise.Rows
        .Concat(Pointwise.Rows)
        .Concat(Movement.Rows)
        .Concat(Products.Rows)
        .Concat(Convolutions.Rows)
        .Concat(Reductions.Rows)
        .Concat(Windows.Rows)
        .Concat(Gathers.Rows)
        .Concat(DynamicSlices.Rows)
        .Concat(Scatters.Rows)
        .Concat(Sorts.Rows)
        .Concat(ControlFlow.Rows)
        .ToFrozenDictionary(row => row.Op, row => row.Export);

    /// <summary>What writes an op; null when ONNX has no form for it.</summary>
    public static Action<ExportSite>? Find(string op) => Rows.GetValueOrDefault(op);
}

/// <summary>A row of <see cref="ExportTable"/>.</summary>
/// <param name="Op">The op's name.</param>
/// <param name="Export">Writes a node and sets its results.</param>
internal sealed record ExportRow(string Op, Action<ExportSite> Export);
