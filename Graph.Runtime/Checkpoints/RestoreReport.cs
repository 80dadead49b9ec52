using System.Collections.Immutable;
using System.Text;

namespace Graphene.Runtime;

/// <summary>Something that was restored.</summary>
/// <param name="Name">Its name here.</param>
/// <param name="NameInCheckpoint">Its name in the checkpoint.</param>
public sealed record RestoredTensor(string Name, string NameInCheckpoint);

/// <summary>Something whose value in the checkpoint does not fit.</summary>
/// <param name="Name">Its name here.</param>
/// <param name="NameInCheckpoint">Its name in the checkpoint.</param>
/// <param name="Expected">Its type here.</param>
/// <param name="Found">Its type in the checkpoint.</param>
public sealed record MismatchedTensor(string Name, string NameInCheckpoint, TensorType Expected, TensorType Found);

/// <summary>What a restore did.</summary>
/// <param name="Source">What was restored from.</param>
public sealed record RestoreReport(string Source)
{
    private const int NamesShown = 12;

    /// <summary>What has the checkpoint's value now.</summary>
    public ImmutableArray<RestoredTensor> Restored { get; init; } = [];

    /// <summary>Names here for which the checkpoint has nothing.</summary>
    public ImmutableArray<string> Missing { get; init; } = [];

    /// <summary>Names in the checkpoint that nothing here asked for.</summary>
    public ImmutableArray<string> Unexpected { get; init; } = [];

    /// <summary>What has another type in the checkpoint.</summary>
    public ImmutableArray<MismatchedTensor> Mismatched { get; init; } = [];

    /// <summary>Names here that were not asked for (<see cref="RestoreOptions.NameInCheckpoint"/> gave null).</summary>
    public ImmutableArray<string> LeftOut { get; init; } = [];

    /// <summary>True when everything here was restored and nothing was left over.</summary>
    public bool IsComplete => Missing.IsEmpty && Unexpected.IsEmpty && Mismatched.IsEmpty && LeftOut.IsEmpty;

    /// <summary>Whether the content was compared with a digest.</summary>
    public bool IsVerified { get; init; }

    /// <summary>In words, one line for each kind.</summary>
    public override string ToString()
    {
        var text = new StringBuilder($"{Source}: {Restored.Length} restored");
        Append(text, "missing in the checkpoint", Missing);
        Append(text, "unexpected in the checkpoint", Unexpected);
        Append(
            text, "of another type",
            Mismatched.Select(m => $"{m.Name} is {m.Expected}, in the checkpoint {m.Found}"));
        Append(text, "left out", LeftOut);
        return text.ToString();
    }

    internal bool IsAllowedBy(RestoreOptions options) =>
        (options.AllowMissing || Missing.IsEmpty)
        && (options.AllowUnexpected || Unexpected.IsEmpty)
        && (options.AllowMismatched || Mismatched.IsEmpty);

    private static void Append(StringBuilder text, string what, IEnumerable<string> names)
    {
        string[] all = [.. names];
        if (all.Length > 0)
        {
            text.Append(System.Globalization.CultureInfo.InvariantCulture, $"\n  {all.Length} {what}: ")
                .AppendJoin(", ", all.Take(NamesShown))
                .Append(all.Length > NamesShown ? ", ..." : "");
        }
    }
}
