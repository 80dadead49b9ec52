using Graphene.Interop.Onnx.Reading;
using Graphene.Interop.Onnx.Schema;

namespace Graphene.Interop.Onnx.Importing;

/// <summary>The operator set versions that a model or function imports.</summary>
internal sealed class OperatorSets
{
    /// <summary>The newest version of the standard operator set that is understood.</summary>
    public const int NewestStandard = 28;

    /// <summary>The newest version of the classical machine learning operators that is understood.</summary>
    public const int NewestMl = 5;

    private readonly Dictionary<string, long> _versions = new(StringComparer.Ordinal);

    /// <summary>Reads the versions; a domain listed twice counts with its highest.</summary>
    /// <param name="imports">The messages.</param>
    /// <param name="file">The file, for errors.</param>
    public OperatorSets(IEnumerable<OperatorSetIdProto> imports, string file)
    {
        foreach (OperatorSetIdProto import in imports)
        {
            string domain = OnnxModelFile.NormalDomain(import.Domain);
            long newest = domain switch { "" => NewestStandard, "ai.onnx.ml" => NewestMl, _ => long.MaxValue };
            if (import.Version < 1 || import.Version > newest)
            {
                throw OnnxErrors.BadVersion(
                    file,
                    $"onnx: version {import.Version} of the operator set '{(domain.Length == 0 ? "ai.onnx" : domain)}' is not supported",
                    newest == long.MaxValue ? "versions start at 1" : $"versions 1 to {newest} are known",
                    "export with another operator set version");
            }
            _versions[domain] = Math.Max(import.Version, _versions.GetValueOrDefault(domain));
        }
    }

    /// <summary>The version of a domain; 1 when the domain is not imported, as before IR version 3.</summary>
    public long VersionOf(string domain) => _versions.GetValueOrDefault(domain, 1);
}
