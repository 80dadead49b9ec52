namespace Graphene.Codegen;

/// <summary>Where the elements of a kernel lie in its literal: counted in elements, from the first.</summary>
/// <param name="First">The place of the first element.</param>
/// <param name="Row">The distance of rows.</param>
/// <param name="Column">The distance of columns.</param>
/// <param name="Input">The distance of input features.</param>
/// <param name="Output">The distance of output features.</param>
internal readonly record struct KernelStrides(long First, long Row, long Column, long Input, long Output);

/// <summary>
/// A constant 3 x 3 kernel as <see cref="WinogradTransform"/> multiplies by it, in panels of output features that are filled up with zeros.
/// Computed in f64 and rounded once.
/// </summary>
/// <remarks><c>weights[panel][position][input][lane] = (G g G^T)[position], g of input and panel * width + lane</c></remarks>
/// <param name="Kernel">The kernel, f32.</param>
/// <param name="Strides">Where its elements lie.</param>
/// <param name="Inputs">The number of input features.</param>
/// <param name="Outputs">The number of output features.</param>
/// <param name="Tile">The side of a tile of results.</param>
/// <param name="Width">Output features of a panel.</param>
internal sealed record WinogradWeights(Literal Kernel, KernelStrides Strides, int Inputs, int Outputs, int Tile, int Width) : KernelConstant
{
    /// <inheritdoc/>
    public override DType DType => DType.F32;

    /// <inheritdoc/>
    public override long SizeInBytes => checked(Panels * PanelElements * sizeof(float));

    private int Panels => (Outputs + Width - 1) / Width;

    private long PanelElements => checked((long)WinogradTransform.Of(Tile).Positions * Inputs * Width);

    /// <inheritdoc/>
    public override unsafe void WriteTo(Span<byte> target)
    {
        using LiteralPart kernel = Kernel.Part();
        fixed (byte* pointer = target)
        {
            // A span cannot go into a lambda; the memory stays where it is until all panels are written.
            nint address = (nint)pointer;
            Parallel.For(0, Panels, panel => WritePanel(
                kernel.As<float>(), panel, new Span<float>((float*)address + (panel * PanelElements), checked((int)PanelElements))));
        }
    }

    /// <inheritdoc/>
    public override KernelConstant With(Func<Literal, Literal> counterpart) => this with { Kernel = counterpart(Kernel) };

    private void WritePanel(ReadOnlySpan<float> kernel, int panel, Span<float> target)
    {
        var transform = WinogradTransform.Of(Tile);
        double[,] g = transform.Weights();
        int patch = transform.Patch;
        Span<double> half = stackalloc double[3 * patch];
        int present = Math.Min(Width, Outputs - (panel * Width));
        target.Clear();
        for (int input = 0; input < Inputs; input++)
        {
            for (int lane = 0; lane < present; lane++)
            {
                long first = Strides.First + (input * Strides.Input) + (((panel * Width) + lane) * Strides.Output);
                for (int i = 0; i < patch; i++)
                {
                    for (int column = 0; column < 3; column++)
                    {
                        double sum = 0;
                        for (int row = 0; row < 3; row++)
                        {
                            sum += g[i, row] * kernel[(int)(first + (row * Strides.Row) + (column * Strides.Column))];
                        }
                        half[(i * 3) + column] = sum;
                    }
                }
                for (int i = 0; i < patch; i++)
                {
                    for (int j = 0; j < patch; j++)
                    {
                        double sum = (half[i * 3] * g[j, 0]) + (half[(i * 3) + 1] * g[j, 1]) + (half[(i * 3) + 2] * g[j, 2]);
                        target[((((i * patch) + j) * Inputs) + input) * Width + lane] = (float)sum;
                    }
                }
            }
        }
    }
}
