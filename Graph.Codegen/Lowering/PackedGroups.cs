using System.Runtime.InteropServices;

namespace Graphene.Codegen;

/// <summary>
/// A constant matrix of narrow elements in panels, with neighbours along k together: what one lane of a <see cref="KDot"/> takes.
/// Runs of k are filled up with zeros to whole groups, panels to their width.
/// </summary>
/// <remarks>
/// <c>packed[batch][panel][run][word][lane][i] = matrix[batch][run * length + word * group + i][panel *
/// width + lane]</c>; for matrix tiles each tile is one run of memory, and so are all that a step
/// takes: <c>packed[batch][panel][step][tile][word][lane][i]</c>.
/// </remarks>
/// <param name="Panels">Which elements, and the width of a panel.</param>
/// <param name="Element">Their type in the packed matrix: the constant's, or a wider integer.</param>
/// <param name="Group">Elements per lane.</param>
/// <param name="Run">How many consecutive k are grouped; it divides their number.</param>
/// <param name="TileWords">Words of a tile; the number of words in a run is a multiple of it.</param>
/// <param name="TileLanes">Lanes of a tile; the width of a panel is a multiple of it.</param>
internal sealed record PackedGroups(
    PackedPanels Panels, DType Element, int Group, int Run, int TileWords = 1, int TileLanes = 1) : KernelConstant
{
    /// <inheritdoc/>
    public override DType DType => Element;

    /// <inheritdoc/>
    public override long SizeInBytes => checked((long)Matrices * Words * Panels.Width * Group * Element.SizeInBytes());

    /// <summary>Words in all runs.</summary>
    public int Words => Panels.Depth.Count / Run * WordsPerRun;

    /// <summary>Words in one run.</summary>
    public int WordsPerRun => checked((int)DimMath.CeilDiv(DimMath.CeilDiv(Run, Group), TileWords) * TileWords);

    /// <summary>Panels in all batches.</summary>
    public int Matrices => Panels.Batches.Count * PanelCount;

    /// <summary>Panels in one batch.</summary>
    public int PanelCount => (int)DimMath.CeilDiv(Panels.Columns.Count, Panels.Width);

    /// <inheritdoc/>
    public override void WriteTo(Span<byte> target)
    {
        target.Clear();
        using LiteralPart matrix = Panels.Matrix.Part();
        ReadOnlySpan<byte> source = matrix.Bytes;
        switch (Panels.Matrix.DType, Element)
        {
            case (DType.I8, DType.I16):
                Write(MemoryMarshal.Cast<byte, sbyte>(source), MemoryMarshal.Cast<byte, short>(target), x => x);
                break;
            case (DType.U8, DType.I16):
                Write(source, MemoryMarshal.Cast<byte, short>(target), x => x);
                break;
            case ({ } from, _) when from == Element && from.SizeInBytes() == 1:
                Write(source, target, x => x);
                break;
            case ({ } from, _) when from == Element && from.SizeInBytes() == 2:
                Write(MemoryMarshal.Cast<byte, ushort>(source), MemoryMarshal.Cast<byte, ushort>(target), x => x);
                break;
            default:
                throw new CompilerBugException("lowering", $"{Panels.Matrix.DType.Name()} is not packed as {Element.Name()}");
        }
    }

    /// <inheritdoc/>
    public override KernelConstant With(Func<Literal, Literal> counterpart) =>
        this with { Panels = Panels with { Matrix = counterpart(Panels.Matrix) } };

    private void Write<TFrom, TTo>(ReadOnlySpan<TFrom> source, Span<TTo> target, Func<TFrom, TTo> convert)
    {
        long[] depth = [.. Panels.Depth];
        long[] columns = [.. Panels.Columns];
        int width = Panels.Width;
        int[] places = [.. Enumerable.Range(0, width).Select(lane => (lane / TileLanes * TileLanes * TileWords) + (lane % TileLanes))];
        foreach (long batch in Panels.Batches)
        {
            for (int first = 0; first < columns.Length; first += width)
            {
                Span<TTo> panel = target[..(Words * width * Group)];
                target = target[panel.Length..];
                int present = Math.Min(width, columns.Length - first);
                for (int k = 0; k < depth.Length; k++)
                {
                    (int run, int inRun) = Math.DivRem(k, Run);
                    int word = (run * WordsPerRun) + (inRun / Group);
                    int inTile = word % TileWords;
                    int at = ((((word - inTile) * width) + (inTile * TileLanes)) * Group) + (inRun % Group);
                    for (int lane = 0; lane < present; lane++)
                    {
                        panel[at + (places[lane] * Group)] = convert(source[(int)(batch + depth[k] + columns[first + lane])]);
                    }
                }
            }
        }
    }
}
