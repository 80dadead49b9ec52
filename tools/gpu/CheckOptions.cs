namespace Graphene.GpuCheck;

/// <summary>What to pack or to check.</summary>
/// <param name="Device">cuda or interpreter.</param>
/// <param name="Targets">GPUs to compile for, such as sm_90a.</param>
/// <param name="Only">What names must contain; empty for all.</param>
/// <param name="Seconds">How long a case may take.</param>
internal sealed record CheckOptions(string Device, string[] Targets, string Only, int Seconds)
{
    public const string Cuda = "cuda";
    public const string Interpreter = "interpreter";

    public bool IsInterpreted => Device == Interpreter;

    /// <summary>Whether a case is wanted.</summary>
    public bool Wants(string name) => name.Contains(Only, StringComparison.Ordinal);

    /// <summary>Reads options.</summary>
    /// <exception cref="ArgumentException">One is unknown.</exception>
    public static CheckOptions Parse(string[] options)
    {
        var read = new CheckOptions(Cuda, ["sm_80", "sm_90a"], "", 300);
        for (int i = 0; i < options.Length; i += 2)
        {
            string value = i + 1 < options.Length ? options[i + 1] : throw new ArgumentException($"{options[i]} has no value");
            read = options[i] switch
            {
                "--device" when value is Cuda or Interpreter => read with { Device = value },
                "--target" => read with { Targets = value.Split(',') },
                "--only" => read with { Only = value },
                "--seconds" when int.TryParse(value, out int seconds) && seconds > 0 => read with { Seconds = seconds },
                _ => throw new ArgumentException($"there is no option {options[i]} {value}"),
            };
        }
        return read;
    }
}
