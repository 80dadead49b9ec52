namespace Graphene.Samples.Digits;

/// <summary>What the model says about one picture.</summary>
/// <param name="Digit">The most probable digit.</param>
/// <param name="Probabilities">One for each digit; they sum to 1.</param>
/// <param name="Logits">What the model gave, bit by bit.</param>
public sealed record DigitAnswer(int Digit, float[] Probabilities, float[] Logits)
{
    /// <summary>Runs the model on a normalized image.</summary>
    /// <param name="model">The model.</param>
    /// <param name="image">784 bytes.</param>
    public static DigitAnswer Of(DigitsModel model, byte[] image)
    {
        float[] logits = new float[DigitsModel.Classes];
        model.Run(image, logits);
        float most = logits.Max();
        double[] powers = [.. logits.Select(l => Math.Exp(l - most))];
        double sum = powers.Sum();
        return new DigitAnswer(Array.IndexOf(logits, most), [.. powers.Select(p => (float)(p / sum))], logits);
    }
}
