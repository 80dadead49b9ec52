using System.Globalization;

namespace Graphene;

/// <summary>Which dimension of a convolution's operands and result means what.</summary>
/// <param name="LhsBatch">The batch dimension of the input.</param>
/// <param name="LhsFeature">The feature dimension of the input.</param>
/// <param name="LhsSpatial">The spatial dimensions of the input.</param>
/// <param name="RhsInputFeature">The input feature dimension of the kernel.</param>
/// <param name="RhsOutputFeature">The output feature dimension of the kernel.</param>
/// <param name="RhsSpatial">The spatial dimensions of the kernel, in the input's order.</param>
/// <param name="ResultBatch">The batch dimension of the result.</param>
/// <param name="ResultFeature">The feature dimension of the result.</param>
/// <param name="ResultSpatial">The spatial dimensions of the result, in the input's order.</param>
public sealed record ConvolutionDimensions(
    int LhsBatch,
    int LhsFeature,
    Axes LhsSpatial,
    int RhsInputFeature,
    int RhsOutputFeature,
    Axes RhsSpatial,
    int ResultBatch,
    int ResultFeature,
    Axes ResultSpatial)
{
    /// <summary>The number of spatial dimensions.</summary>
    public int SpatialRank => LhsSpatial.Count;

    /// <summary>ONNX's order: input and result [b, f, 0, 1, ..], kernel [o, i, 0, 1, ..].</summary>
    public static ConvolutionDimensions ChannelsFirst(int spatialRank)
    {
        Axes spatial = Axes.Range(2, spatialRank);
        return new(0, 1, spatial, 1, 0, spatial, 0, 1, spatial);
    }

    /// <summary>TensorFlow's order: input and result [b, 0, 1, .., f], kernel [0, 1, .., i, o].</summary>
    public static ConvolutionDimensions ChannelsLast(int spatialRank)
    {
        Axes spatial = Axes.Range(1, spatialRank);
        Axes kernel = Axes.Range(spatialRank);
        return new(0, spatialRank + 1, spatial, spatialRank, spatialRank + 1, kernel, 0, spatialRank + 1, spatial);
    }

    /// <summary>Reads the form that <see cref="ToString"/> writes.</summary>
    /// <returns>Null when the text does not have that form.</returns>
    public static ConvolutionDimensions? TryParse(string text)
    {
        string[] sides = text.Replace(" ", "", StringComparison.Ordinal).Split("->");
        string[] operands = sides.Length == 2 ? sides[0].Split("]x[") : [];
        if (operands.Length != 2 ||
            Side(operands[0] + "]", 'b', 'f') is not var (lhs, lhsBatch, lhsFeature) ||
            Side("[" + operands[1], 'i', 'o') is not var (rhs, rhsInput, rhsOutput) ||
            Side(sides[1], 'b', 'f') is not var (result, resultBatch, resultFeature) ||
            lhs.Count != rhs.Count || lhs.Count != result.Count)
        {
            return null;
        }
        return new(lhsBatch, lhsFeature, lhs, rhsInput, rhsOutput, rhs, resultBatch, resultFeature, result);
    }

    /// <summary>StableHLO's form, for example <c>[b, f, 0, 1]x[o, i, 0, 1]->[b, f, 0, 1]</c>.</summary>
    public override string ToString() =>
        Side(LhsBatch, 'b', LhsFeature, 'f', LhsSpatial) + "x" +
        Side(RhsInputFeature, 'i', RhsOutputFeature, 'o', RhsSpatial) + "->" +
        Side(ResultBatch, 'b', ResultFeature, 'f', ResultSpatial);

    private static string Side(int first, char firstName, int second, char secondName, Axes spatial)
    {
        var names = new string[spatial.Count + 2];
        for (int i = 0; i < names.Length; i++)
        {
            names[i] = i == first ? firstName.ToString()
                : i == second ? secondName.ToString()
                : spatial.IndexOf(i).ToString(CultureInfo.InvariantCulture);
        }
        return $"[{string.Join(", ", names)}]";
    }

    private static (Axes Spatial, int First, int Second)? Side(string text, char first, char second)
    {
        if (text.Length < 2 || text[0] != '[' || text[^1] != ']')
        {
            return null;
        }
        string[] names = text[1..^1].Split(',');
        int[] spatial = [.. Enumerable.Repeat(-1, Math.Max(0, names.Length - 2))];
        (int First, int Second) places = (-1, -1);
        for (int i = 0; i < names.Length; i++)
        {
            if (names[i] == first.ToString() && places.First < 0)
            {
                places.First = i;
            }
            else if (names[i] == second.ToString() && places.Second < 0)
            {
                places.Second = i;
            }
            else if (int.TryParse(names[i], NumberStyles.None, CultureInfo.InvariantCulture, out int axis) &&
                axis < spatial.Length && spatial[axis] < 0)
            {
                spatial[axis] = i;
            }
            else
            {
                return null;
            }
        }
        return places.First < 0 || places.Second < 0 ? null : (Axes.From(spatial), places.First, places.Second);
    }
}
