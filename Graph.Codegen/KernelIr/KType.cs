namespace Graphene.Codegen;

/// <summary>The type of a Kernel IR value: an element type and a number of lanes; one lane is a scalar.</summary>
/// <param name="Element">The element type. Bool values are one bit in registers and one byte in memory.</param>
/// <param name="Lanes">At least 1.</param>
public readonly record struct KType(DType Element, int Lanes = 1)
{
    /// <summary>An index.</summary>
    public static KType Index => new(DType.I64);

    /// <summary>True for a single lane.</summary>
    public bool IsScalar => Lanes == 1;

    /// <summary>As in Kernel IR text: <c>f32</c> or <c>f32x8</c>.</summary>
    public override string ToString() => Lanes == 1 ? Element.Name() : $"{Element.Name()}x{Lanes}";

    /// <summary>Reads what <see cref="ToString"/> writes.</summary>
    /// <returns>Whether the text is a type.</returns>
    public static bool TryParse(string text, out KType type)
    {
        int x = text.LastIndexOf('x');
        bool isVector = x > 0;
        int lanes = 1;
        type = default;
        if (isVector && !int.TryParse(
            text.AsSpan(x + 1), System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out lanes))
        {
            return false;
        }
        if (!DTypeFacts.TryParse(isVector ? text[..x] : text, out DType element) || (isVector && lanes < 2))
        {
            return false;
        }
        type = new KType(element, lanes);
        return true;
    }
}
