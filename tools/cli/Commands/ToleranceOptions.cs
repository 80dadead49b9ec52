using System.CommandLine;
using System.Globalization;
using Graphene.Cli.Values;

namespace Graphene.Cli.Commands;

/// <summary>The options that say when two values count as equal; what is not given is what suits the case.</summary>
internal static class ToleranceOptions
{
    public static readonly Option<double?> Relative = new("--rtol")
    {
        Description = "Allowed error relative to the expected element.",
    };

    public static readonly Option<double?> Absolute = new("--atol")
    {
        Description = "Allowed absolute error.",
    };

    public static readonly Option<double?> OfLargest = new("--atol-of-max")
    {
        Description = "Allowed absolute error as a fraction of the largest expected element, if that is more than --atol.",
    };

    /// <summary>The usual tolerance with the parts replaced that were given.</summary>
    public static Tolerance Choose(ParseResult parsed, Tolerance usual) => new(
        parsed.GetValue(Relative) ?? usual.Relative, parsed.GetValue(Absolute) ?? usual.Absolute,
        parsed.GetValue(OfLargest) ?? usual.OfLargest);

    /// <summary>The given options again, for a command line.</summary>
    public static IEnumerable<string> AsArguments(ParseResult parsed)
    {
        foreach (Option<double?> option in new[] { Relative, Absolute, OfLargest })
        {
            if (parsed.GetValue(option) is { } value)
            {
                yield return option.Name;
                yield return value.ToString("R", CultureInfo.InvariantCulture);
            }
        }
    }
}
