using System.Runtime.InteropServices;

namespace Graphene.Codegen;

/// <summary>For each column of each panel of packed bytes the sum over k, times a factor, wrapped to i32.</summary>
/// <param name="Groups">The packed matrix.</param>
/// <param name="Factor">The factor.</param>
internal sealed record PackedColumnSums(PackedGroups Groups, int Factor) : KernelConstant
{
    /// <inheritdoc/>
    public override DType DType => DType.I32;

    /// <inheritdoc/>
    public override long SizeInBytes => checked((long)Groups.Matrices * Groups.Panels.Width * sizeof(int));

    /// <inheritdoc/>
    public override void WriteTo(Span<byte> target)
    {
        PackedPanels panels = Groups.Panels;
        Span<int> sums = MemoryMarshal.Cast<byte, int>(target);
        sums.Clear();
        using LiteralPart matrix = panels.Matrix.Part();
        ReadOnlySpan<byte> source = matrix.Bytes;
        bool isSigned = panels.Matrix.DType == DType.I8;
        for (int b = 0; b < panels.Batches.Count; b++)
        {
            Span<int> batch = sums[(b * Groups.PanelCount * panels.Width)..];
            foreach (long k in panels.Depth)
            {
                for (int column = 0; column < panels.Columns.Count; column++)
                {
                    byte x = source[(int)(panels.Batches[b] + k + panels.Columns[column])];
                    batch[column] = unchecked(batch[column] + (Factor * (isSigned ? (sbyte)x : x)));
                }
            }
        }
    }

    /// <inheritdoc/>
    public override KernelConstant With(Func<Literal, Literal> counterpart) =>
        this with { Groups = (PackedGroups)Groups.With(counterpart) };
}
