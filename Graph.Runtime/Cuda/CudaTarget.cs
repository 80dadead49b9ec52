using System.Globalization;

namespace Graphene.Runtime;

/// <summary>Which code runs on which GPU.</summary>
internal static class CudaTarget
{
    private const string Prefix = "sm_";

    /// <summary>Why code for a target cannot run on an architecture; null when it can.</summary>
    /// <param name="target">As in PTX: <c>sm_80</c>, or <c>sm_90a</c> for code that runs on that architecture alone.</param>
    /// <param name="architecture">The GPU's, as a number.</param>
    public static string? WhyNot(string target, int architecture)
    {
        bool isExact = target.EndsWith('a');
        string digits = target.StartsWith(Prefix, StringComparison.Ordinal) ? target[Prefix.Length..].TrimEnd('a') : "";
        if (!int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out int wanted))
        {
            return $"its target '{target}' is no GPU";
        }
        return isExact ? (wanted == architecture ? null : $"its code is for {target} alone, this is sm_{architecture}")
            : wanted <= architecture ? null
            : $"its code is for {target}, this is sm_{architecture}";
    }
}
